"""A volume's result as a file: CSV, JSON or HTML, with the readers' grades."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from slicer.i18n import tr as _

from MotionQALib import reports, slice_pictures
from MotionQALib.volumes import Volume, VolumeError

from .scene_results import SceneResult
from .volume_input import VolumeInput

KINDS = ("csv", "json", "html")


def kind_name(kind: str) -> str:
    """As a file dialog's filter."""
    names = {
        "csv": _("CSV, for statistics (*.csv)"),
        "json": _("JSON, for programs (*.json)"),
        "html": _("HTML, a page to read and print (*.html)"),
    }
    return names[kind]


def file_name(result: SceneResult, kind: str) -> str:
    """A name that every file system takes."""
    name = re.sub(r"[^\w.-]+", "_", result.volume_node.GetName()).strip("._") or "volume"
    return f"{name}-motion.{kind}"


def write(result: SceneResult, path: str | Path, kind: str) -> None:
    """Write the result whole or not at all; OSError where it cannot be written."""
    given = [result.assessment]
    if kind == "csv":
        reports.write_csv(given, path, marked=True)  # for people
    elif kind == "json":
        reports.write_json(given, path)
    elif kind == "html":
        reports.write_html(given, path, pictures=[pictures_of(result)])
    else:
        raise ValueError(kind)


def pictures_of(result: SceneResult) -> tuple[slice_pictures.SlicePicture, ...]:
    """Each slice in its worst frame; none where the image has gone or changed its shape."""
    assessment = result.assessment
    try:
        given = VolumeInput.of_node(result.volume_node)
        volume = Volume(np.stack(given.frames), given.spacing)
    except (VolumeError, ValueError):  # frames of different sizes
        return ()
    if (volume.n_frames, volume.n_slices) != (assessment.n_frames, assessment.n_slices):
        return ()
    return slice_pictures.draw(volume, slice_pictures.positions_to_show(assessment))
