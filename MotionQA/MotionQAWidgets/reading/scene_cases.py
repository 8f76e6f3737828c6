"""The volumes in Slicer's scene as cases of a study, known by their content."""

from __future__ import annotations

import numpy as np
import slicer

from MotionQALib.volumes import Volume, VolumeError

from ..volume_input import VolumeInput
from .case_volumes import is_case_volume


def volumes_in_scene() -> list[tuple[object, Volume]]:
    """Every volume that could be read, with its node; what a study itself shows is left out."""
    found = []
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if is_case_volume(node) or node.IsA("vtkMRMLLabelMapVolumeNode"):
            continue
        try:
            found.append((node, as_volume(node)))
        except VolumeError:
            continue  # it holds no image
    return found


def as_volume(node) -> Volume:
    """A volume as the library reads it from a file. Raises VolumeError if it holds no image."""
    given = VolumeInput.of_node(node)
    uid = (given.identity or "").removeprefix("dicom:")
    return Volume(
        voxels=np.stack(given.frames),
        spacing=given.spacing,
        name=given.name,
        slice_axis=given.slice_axis,
        series_uid=uid or None,
    )


def nodes_by_case() -> dict[str, str]:
    """ids of the scene's volumes by the keys of their cases."""
    return {volume.identity: node.GetID() for node, volume in volumes_in_scene()}
