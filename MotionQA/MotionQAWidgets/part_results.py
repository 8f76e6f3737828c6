"""Grades of a joined stack on the volumes of its single slices, as Slicer loads a series a slice.

    result_of_part(results, volume)     # SceneResult whose volume is the part; None where none fits

A part is known by its place and by its voxels: a slice that was acquired again lies where the
graded one does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import slicer
import vtk

from .scene_results import SceneResult, SceneResults
from .volume_input import frame_nodes

NEAR = 0.5
"""mm between the first pixels of a part and of the slice that it is."""

_known: dict[tuple, int | None] = {}


def result_of_part(results: SceneResults, volume) -> SceneResult | None:
    """The grades of the slice that a volume of one slice is in a graded stack."""
    image = volume.GetImageData()
    if image is None or image.GetDimensions()[2] != 1 or results.is_withheld(volume):
        return None
    for whole in results.volume_nodes():
        result = results.result_for(whole)
        if whole is volume or result.slice_axis != 2 or whole.GetImageData() is None:
            continue
        if len(frame_nodes(volume)) != result.assessment.n_frames:
            continue
        number = _slice_of(volume, whole)
        if number is not None:
            return replace(result, volume_node=volume, part=number)
    return None


def _slice_of(part, whole) -> int | None:
    """Which slice of the whole the part is; remembered until one of them changes."""
    nodes = part, whole
    key = tuple(
        value
        for node in nodes
        for value in (node.GetID(), node.GetMTime(), node.GetImageData().GetMTime())
    )
    if key not in _known:
        while len(_known) > 200:
            _known.pop(next(iter(_known)))
        _known[key] = _found(part, whole)
    return _known[key]


def _found(part, whole) -> int | None:
    if part.GetImageData().GetDimensions()[:2] != whole.GetImageData().GetDimensions()[:2]:
        return None
    if part.GetParentTransformNode() is not whole.GetParentTransformNode():
        return None
    own, other = _to_ras(part), _to_ras(whole)
    if not np.allclose(own[:3, :2], other[:3, :2], atol=1e-2):
        return None
    normal = np.cross(other[:3, 0], other[:3, 1])
    step = float(other[:3, 2] @ normal)
    if step == 0:
        return None
    number = round(float((own[:3, 3] - other[:3, 3]) @ normal) / step)
    if not 0 <= number < whole.GetImageData().GetDimensions()[2]:
        return None
    place = other[:3, 3] + number * other[:3, 2]
    if np.linalg.norm(place - own[:3, 3]) > NEAR:
        return None
    frames, others = frame_nodes(part), frame_nodes(whole)
    array = slicer.util.arrayFromVolume
    same = len(frames) == len(others) and all(
        np.allclose(array(one)[0], array(other)[number])
        for one, other in zip(frames, others, strict=True)
    )
    return number if same else None


def _to_ras(node) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)
