"""Which slice of a volume a slice view shows, and the way there.

``sliceAxis`` is the axis of IJK that slices count along: 0, 1 or 2.
"""

from __future__ import annotations

import math

import numpy as np
import slicer
import vtk

PARALLEL = math.cos(math.radians(1.0))
"""A view turned further than a degree away shows several slices at once."""


def worldToIJK(volumeNode) -> np.ndarray | None:
    """(4, 4), with the volume's transform; None where that is not linear."""
    toNode, toIJK = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volumeNode.GetRASToIJKMatrix(toIJK)
    parent = volumeNode.GetParentTransformNode()
    if parent is not None:
        between = slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes
        if not between(None, parent, toNode):
            return None
    return _array(toIJK) @ _array(toNode)


def isParallel(sliceNode, volumeNode, sliceAxis: int = 2) -> bool:
    """Whether the view's plane is that of the volume's slices."""
    toIJK = worldToIJK(volumeNode)
    return toIJK is not None and _isParallel(sliceNode, toIJK, sliceAxis)


def sliceIndex(sliceNode, volumeNode, sliceAxis: int = 2) -> int | None:
    """The slice that the view shows, maybe outside of the volume; None in an oblique view."""
    toIJK = worldToIJK(volumeNode)
    if toIJK is None or not _isParallel(sliceNode, toIJK, sliceAxis):
        return None
    position = toIJK[sliceAxis] @ _array(sliceNode.GetSliceToRAS())[:, 3]
    return math.floor(position + 0.5)


def sliceCentre(volumeNode, index: int, sliceAxis: int = 2) -> list[float]:
    """The middle of a slice in world coordinates, mm."""
    middle = [(size - 1) / 2 for size in volumeNode.GetImageData().GetDimensions()] + [1.0]
    middle[sliceAxis] = index
    toRAS, world = vtk.vtkMatrix4x4(), [0.0, 0.0, 0.0]
    volumeNode.GetIJKToRASMatrix(toRAS)
    volumeNode.TransformPointToWorld(toRAS.MultiplyPoint(middle)[:3], world)
    return world


def jumpTo(volumeNode, index: int, sliceAxis: int = 2) -> None:
    """Show a slice in the views parallel to the slices; where none is, in all of the volume's."""
    if volumeNode.GetImageData() is None:
        return
    showing = [widget for widget in sliceWidgets() if volumeNode in shownVolumes(widget)]
    nodes = [widget.mrmlSliceNode() for widget in showing]
    parallel = [node for node in nodes if isParallel(node, volumeNode, sliceAxis)]
    centre = sliceCentre(volumeNode, index, sliceAxis)
    for node in parallel or nodes:
        node.JumpSliceByOffsetting(*centre)


def alignView(sliceNode, volumeNode) -> None:
    """Turn a view into the plane of the volume's own axes that is nearest to it."""
    sliceNode.RotateToVolumePlane(volumeNode)


def sliceWidgets() -> list:
    """The slice views of the layout."""
    layout = slicer.app.layoutManager()
    if layout is None:  # Slicer without a window
        return []
    return [layout.sliceWidget(name) for name in layout.sliceViewNames()]


def shownVolumes(sliceWidget) -> list:
    """The volumes in the view, the most visible first."""
    logic = sliceWidget.sliceLogic()
    layers = logic.GetSliceCompositeNode()
    if layers is None:
        return []
    scene, opacity = slicer.mrmlScene, layers.GetForegroundOpacity()
    foreground = scene.GetNodeByID(layers.GetForegroundVolumeID() or "") if opacity > 0 else None
    background = scene.GetNodeByID(layers.GetBackgroundVolumeID() or "")
    found = (foreground, background) if opacity > 0.5 else (background, foreground)
    return [node for node in found if node is not None]


def _isParallel(sliceNode, toIJK: np.ndarray, sliceAxis: int) -> bool:
    normal = _array(sliceNode.GetSliceToRAS())[:3, 2]
    across = toIJK[sliceAxis, :3]  # square to the slices, whatever the volume's shear
    cosine = abs(normal @ across) / (np.linalg.norm(normal) * np.linalg.norm(across))
    return bool(cosine >= PARALLEL)


def _array(matrix) -> np.ndarray:
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
