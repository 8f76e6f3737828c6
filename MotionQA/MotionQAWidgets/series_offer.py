"""Whether a loaded volume is only a part of its DICOM stack, and the whole of it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import slicer

from MotionQALib.formats.dicom_header import header_of
from MotionQALib.formats.dicom_picture import pictures_of
from MotionQALib.formats.dicom_series import sort_files
from MotionQALib.formats.dicom_stack import layout_of
from MotionQALib.volumes import VolumeError

from .volume_input import frame_nodes

INSTANCES = "DICOM.instanceUIDs"
"""The attribute with which Slicer's DICOM plugins mark what they have loaded."""


class WholeStack(NamedTuple):
    """A stack of which a volume shows but a part."""

    files: tuple[str, ...]
    n_slices: int
    n_frames: int
    n_series: int


_known: dict[tuple, WholeStack | None] = {}


BUDGET = 0.15
"""Seconds of the window's time that are spent on headers at once."""


class NotYet(Exception):  # noqa: N818 - it is no fault
    """Headers are still to be read: ask again when the window has answered."""


def whole_stack_of(node) -> WholeStack | None:
    """The stack of which a volume that was loaded from DICOM is a part; None if it is all of it.

    Raises NotYet while headers are to be read.
    """
    instance = _instance_of(node)
    database = getattr(slicer, "dicomDatabase", None)
    if not instance or database is None:
        return None
    file = database.fileForInstance(instance)
    if not file:
        return None
    slices = min(node.GetImageData().GetDimensions())
    key = (instance, slices, len(frame_nodes(node)))
    if key not in _known:
        _known[key] = _larger(file, database, slices, key[2])
    return _known[key]


def _larger(file: str, database, slices: int, frames: int) -> WholeStack | None:
    study = database.studyForSeries(database.seriesForFile(file))
    series = database.seriesForStudy(study) if study else ()
    files = [Path(one) for uid in series for one in database.filesForSeries(uid)]
    _read_headers(files)
    try:
        stack = sort_files(files).stack_with(Path(file))
        layout = None if stack is None else layout_of(stack.pictures)
    except VolumeError:  # told when it is loaded
        return None
    if layout is None or len(layout.grid) * layout.n_frames <= slices * frames:
        return None
    return WholeStack(
        tuple(sorted(map(str, stack.files))), len(layout.grid), layout.n_frames, len(stack.series)
    )


def _read_headers(files: list[Path]) -> None:
    """Those that are not remembered, for as long as a window may be kept waiting."""
    end = time.monotonic() + BUDGET
    for file in files:
        with suppress(VolumeError):
            stored = header_of(file)
            if stored is not None:
                pictures_of(stored)
        if time.monotonic() > end and file is not files[-1]:
            raise NotYet


def _instance_of(node) -> str:
    """UID of a volume's first image, or of the first frame's that plays in it."""
    nodes = (node, *frame_nodes(node)[:1])
    held = (one.GetAttribute(INSTANCES) for one in nodes)
    return next((uids.split()[0] for uids in held if uids and uids.strip()), "")
