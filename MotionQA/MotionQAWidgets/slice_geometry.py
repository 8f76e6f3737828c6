"""Which slice of a volume a slice view shows, and the way there.

``slice_axis`` is the axis of IJK that slices count along: 0, 1 or 2.
"""

from __future__ import annotations

import math

import numpy as np
import slicer
import vtk

PARALLEL = math.cos(math.radians(1.0))
"""A view turned further than a degree away shows several slices at once."""


def world_to_ijk(volume_node) -> np.ndarray | None:
    """(4, 4), with the volume's transform; None where that is not linear."""
    to_node, to_ijk = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volume_node.GetRASToIJKMatrix(to_ijk)
    parent = volume_node.GetParentTransformNode()
    if parent is not None:
        between = slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes
        if not between(None, parent, to_node):
            return None
    return _array(to_ijk) @ _array(to_node)


def is_parallel(slice_node, volume_node, slice_axis: int = 2) -> bool:
    """Whether the view's plane is that of the volume's slices."""
    to_ijk = world_to_ijk(volume_node)
    return to_ijk is not None and _is_parallel(slice_node, to_ijk, slice_axis)


def slice_index(slice_node, volume_node, slice_axis: int = 2) -> int | None:
    """The slice that the view shows, maybe outside of the volume; None in an oblique view."""
    to_ijk = world_to_ijk(volume_node)
    if to_ijk is None or not _is_parallel(slice_node, to_ijk, slice_axis):
        return None
    position = to_ijk[slice_axis] @ _array(slice_node.GetSliceToRAS())[:, 3]
    return math.floor(position + 0.5)


def slice_centre(volume_node, index: int, slice_axis: int = 2) -> list[float]:
    """The middle of a slice in world coordinates, mm."""
    middle = [(size - 1) / 2 for size in volume_node.GetImageData().GetDimensions()] + [1.0]
    middle[slice_axis] = index
    to_ras, world = vtk.vtkMatrix4x4(), [0.0, 0.0, 0.0]
    volume_node.GetIJKToRASMatrix(to_ras)
    volume_node.TransformPointToWorld(to_ras.MultiplyPoint(middle)[:3], world)
    return world


def jump_to(volume_node, index: int, slice_axis: int = 2) -> None:
    """Show a slice in the views parallel to the slices; where none is, in all of the volume's."""
    if volume_node.GetImageData() is None:
        return
    showing = [widget for widget in slice_widgets() if volume_node in shown_volumes(widget)]
    nodes = [widget.mrmlSliceNode() for widget in showing]
    parallel = [node for node in nodes if is_parallel(node, volume_node, slice_axis)]
    centre = slice_centre(volume_node, index, slice_axis)
    for node in parallel or nodes:
        node.JumpSliceByOffsetting(*centre)


def align_view(slice_node, volume_node) -> None:
    """Turn a view into the plane of the volume's own axes that is nearest to it."""
    slice_node.RotateToVolumePlane(volume_node)


def slice_widgets() -> list:
    """The slice views of the layout."""
    layout = slicer.app.layoutManager()
    if layout is None:  # Slicer without a window
        return []
    return [layout.sliceWidget(name) for name in layout.sliceViewNames()]


def shown_volumes(slice_widget) -> list:
    """The volumes in the view, the most visible first."""
    logic = slice_widget.sliceLogic()
    layers = logic.GetSliceCompositeNode()
    if layers is None:
        return []
    scene, opacity = slicer.mrmlScene, layers.GetForegroundOpacity()
    foreground = scene.GetNodeByID(layers.GetForegroundVolumeID() or "") if opacity > 0 else None
    background = scene.GetNodeByID(layers.GetBackgroundVolumeID() or "")
    found = (foreground, background) if opacity > 0.5 else (background, foreground)
    return [node for node in found if node is not None]


def _is_parallel(slice_node, to_ijk: np.ndarray, slice_axis: int) -> bool:
    normal = _array(slice_node.GetSliceToRAS())[:3, 2]
    across = to_ijk[slice_axis, :3]  # square to the slices, whatever the volume's shear
    cosine = abs(normal @ across) / (np.linalg.norm(normal) * np.linalg.norm(across))
    return bool(cosine >= PARALLEL)


def _array(matrix) -> np.ndarray:
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
