"""Whether a loaded volume is only a part of its DICOM stack, and the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import slicer

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


def whole_stack_of(node) -> WholeStack | None:
    """The stack of which a volume that was loaded from DICOM is a part; None if it is all of it."""
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


def _instance_of(node) -> str:
    """UID of a volume's first image, or of the first frame's that plays in it."""
    nodes = (node, *frame_nodes(node)[:1])
    held = (one.GetAttribute(INSTANCES) for one in nodes)
    return next((uids.split()[0] for uids in held if uids and uids.strip()), "")
