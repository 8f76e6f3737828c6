"""How a case is shown: its slices as they were acquired, in one view, with the given grade on it.

view = CaseView(badge=lambda index: ("3 · moderate", Grade.MODERATE))
view.show(volume_node, slice_axis=2)
view.slice           # the slice that the reader looks at; None between slices
view.show_slice(4)
view.changed.connect(f)  # f(): another slice is shown
view.close()         # layout and views are as before; nothing is left in them
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import slicer
import vtk

from MotionQALib.scale import Grade
from MotionQALib.signals import Signal

from .. import slice_geometry as geometry
from ..view_badges import ViewBadges

READING_VIEW = "Red"

Words = tuple[str, Grade] | None
"""What a badge says, and in which grade's colour; None for no badge."""


class CaseView:
    """See the top of this file.

    Parameters
    ----------
    badge : what the badge over a slice says; it is asked with None in a view that is not parallel
        to the slices
    """

    def __init__(self, badge: Callable[[int | None], Words]) -> None:
        self.changed = Signal()
        self._words = badge
        self._node, self._axis, self._count = None, 2, 0
        self._badges = ViewBadges(self.update)
        self._slice: int | None = None
        self._showing = False
        layout = slicer.app.layoutManager()
        self._layout_before = layout.layout
        layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
        layout.layoutChanged.connect(self._attach)
        self._attach()

    def show(self, node, slice_axis: int, index: int | None = None) -> None:
        """Show a volume at a slice, or at its middle one; None shows nothing."""
        self._node, self._axis = node, slice_axis
        self._showing = True  # what the views say meanwhile is of no case
        slicer.util.setSliceViewerLayers(background=node, foreground=None, label=None)
        if node is not None:
            self._count = node.GetImageData().GetDimensions()[slice_axis]
            for widget in geometry.slice_widgets():
                if widget.sliceViewName == READING_VIEW:
                    turn(widget.mrmlSliceNode(), node, slice_axis)
                else:
                    geometry.align_view(widget.mrmlSliceNode(), node)
                widget.sliceLogic().FitSliceToBackground()
            self.show_slice(self._count // 2 if index is None else index)
        self._showing = False
        self.update()

    @property
    def slice(self) -> int | None:
        """The slice in the reading view, None where it shows none."""
        return self._slice

    @property
    def is_shown(self) -> bool:
        """Whether the reading view shows the volume; the user may have put another there."""
        widget = slicer.app.layoutManager().sliceWidget(READING_VIEW)
        return self._node is not None and self._node in geometry.shown_volumes(widget)

    def show_slice(self, index: int) -> None:
        if self._node is not None and slicer.mrmlScene.IsNodePresent(self._node):
            geometry.jump_to(self._node, index, self._axis)

    def update(self, *_args) -> None:
        """Show what every view now needs."""
        if self._showing or slicer.mrmlScene.IsBatchProcessing():
            return
        before = self._slice
        self._slice = None
        shown = self._node is not None and slicer.mrmlScene.IsNodePresent(self._node)
        for widget in geometry.slice_widgets():
            node = widget.mrmlSliceNode()
            words = None
            if shown and self._node in geometry.shown_volumes(widget):
                index = geometry.slice_index(node, self._node, self._axis)
                inside = index is not None and 0 <= index < self._count
                if inside and widget.sliceViewName == READING_VIEW:
                    self._slice = index
                words = self._words(index) if inside or index is None else None
            self._badges.show(node, words)
        if self._slice != before:
            self.changed.emit()

    def focus(self) -> None:
        """The keys and the wheel go to the image."""
        widget = slicer.app.layoutManager().sliceWidget(READING_VIEW)
        if widget is not None:
            widget.sliceView().setFocus()

    def close(self) -> None:
        layout = slicer.app.layoutManager()
        layout.layoutChanged.disconnect(self._attach)
        self._badges.remove()
        self.changed.disconnect()
        if layout.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView:
            layout.setLayout(self._layout_before)

    def _attach(self, *_args) -> None:
        self._badges.renew()
        self.update()


def turn(slice_node, volume_node, slice_axis: int) -> None:
    """Turn a view into the plane of the slices, however oblique, the usual side up.

    Slicer's own RotateToVolumePlane takes the volume's axis nearest to the view's, which for a
    short-axis stack need not be that of its slices.
    """
    axes = _directions(volume_node)
    normal = axes[slice_axis]
    slice_node.SetOrientation(("Sagittal", "Coronal", "Axial")[int(np.argmax(np.abs(normal)))])
    matrix = slice_node.GetSliceToRAS()
    usual = np.array([[matrix.GetElement(row, column) for row in range(3)] for column in (0, 1)])
    in_plane = [axes[axis] for axis in range(3) if axis != slice_axis]
    pairs = (in_plane, in_plane[::-1])
    right, up = max(pairs, key=lambda pair: sum(abs(usual[i] @ pair[i]) for i in (0, 1)))
    right, up = (axis * np.sign(axis @ way) for axis, way in zip((right, up), usual, strict=True))
    for row, values in enumerate(zip(right, up, np.cross(right, up), strict=True)):
        for column, value in enumerate(values):
            matrix.SetElement(row, column, value)
    slice_node.UpdateMatrices()


def _directions(volume_node) -> np.ndarray:
    """(3, 3): the unit vectors of I, J and K in world coordinates, one a row."""
    to_ras, to_world = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(to_ras)
    parent = volume_node.GetParentTransformNode()
    if parent is not None:
        slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(parent, None, to_world)
        vtk.vtkMatrix4x4.Multiply4x4(to_world, to_ras, to_ras)
    axes = np.array([[to_ras.GetElement(row, column) for row in range(3)] for column in range(3)])
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)
