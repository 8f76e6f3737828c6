"""What the overlay draws into one slice view: a frame along the edge and a badge at the top.

badge = ViewBadge(slice_widget.sliceView())
badge.show("3 · moderate 71 %", grade)  # draws nothing anew where nothing changed
badge.hide()
badge.remove()
"""

from __future__ import annotations

from contextlib import suppress

import vtk

from MotionQALib.palette import GRADE_COLOURS, rgb
from MotionQALib.scale import Grade

GAP = 5
"""Pixels between frame and badge."""

SMALLEST, LARGEST = 7, 22
"""Font sizes; in a view too narrow for the smallest, the badge is cut."""


class ViewBadge:
    """The actors are the view's own props, so that its corner annotations stay DataProbe's."""

    def __init__(self, slice_view) -> None:
        self._view = slice_view
        self._renderer = slice_view.renderWindow().GetRenderers().GetFirstRenderer()
        self._edge, self._frame = _outline(), _outline()
        self._edge.GetProperty().SetColor(0.0, 0.0, 0.0)
        self._text = _text()
        self._actors = (self._edge, self._frame, self._text)
        self._shown: tuple | None = None
        self._size = (0, 0)
        self._tag = self._renderer.AddObserver("StartEvent", self._on_render)
        for actor in self._actors:
            actor.VisibilityOff()
            actor.PickableOff()
            self._renderer.AddViewProp(actor)

    def show(self, text: str, grade: Grade) -> None:
        if (text, grade) == self._shown:
            return
        self._shown = (text, grade)
        colour = GRADE_COLOURS[grade]
        self._frame.GetProperty().SetColor(*_unit(colour.on_dark))
        style = self._text.GetTextProperty()
        style.SetColor(*_unit(colour.text))
        style.SetBackgroundColor(*_unit(colour.fill))
        style.SetFrameColor(*_unit(colour.text))
        self._text.SetInput(text)
        self._fit()
        self._draw(True)

    def hide(self) -> None:
        if self._shown is not None:
            self._shown = None
            self._draw(False)

    def remove(self) -> None:
        self._renderer.RemoveObserver(self._tag)
        for actor in self._actors:
            self._renderer.RemoveViewProp(actor)
        with suppress(ValueError, RuntimeError):  # the view itself may have gone
            self._view.scheduleRender()

    def _on_render(self, *_args) -> None:
        """A view is resized without a word to its slice node, or before it."""
        if self._shown is not None and tuple(self._renderer.GetSize()) != self._size:
            self._fit()

    def _fit(self) -> None:
        """As large as the view lets it be."""
        self._size = width, height = tuple(self._renderer.GetSize())
        # Thin enough to leave Slicer's corner annotations readable.
        thickness = max(3, round(min(width, height) / 200))
        # Half of a line along the edge lies outside of the view.
        self._frame.GetProperty().SetLineWidth(2 * thickness)
        self._edge.GetProperty().SetLineWidth(2 * thickness + 3)
        self._text.SetPosition(width / 2, height - thickness - GAP)
        style, extent = self._text.GetTextProperty(), [0.0, 0.0]
        font = min(LARGEST, max(SMALLEST, round(min(width, height) / 20)))
        style.SetFontSize(font)
        self._text.GetSize(self._renderer, extent)
        room = 0.92 * width
        if extent[0] > room:
            style.SetFontSize(max(SMALLEST, int(font * room / extent[0])))

    def _draw(self, visible: bool) -> None:
        for actor in self._actors:
            actor.SetVisibility(visible)
        self._view.scheduleRender()


def _outline() -> vtk.vtkActor2D:
    points, line = vtk.vtkPoints(), vtk.vtkCellArray()
    for x, y in ((0, 0), (1, 0), (1, 1), (0, 1)):
        points.InsertNextPoint(x, y, 0)
    line.InsertNextCell(5, (0, 1, 2, 3, 0))
    shape = vtk.vtkPolyData()
    shape.SetPoints(points)
    shape.SetLines(line)
    where = vtk.vtkCoordinate()
    where.SetCoordinateSystemToNormalizedViewport()
    mapper = vtk.vtkPolyDataMapper2D()
    mapper.SetInputData(shape)
    mapper.SetTransformCoordinate(where)
    actor = vtk.vtkActor2D()
    actor.SetMapper(mapper)
    return actor


def _text() -> vtk.vtkTextActor:
    actor = vtk.vtkTextActor()
    actor.SetTextScaleModeToNone()
    actor.GetPositionCoordinate().SetCoordinateSystemToViewport()
    style = actor.GetTextProperty()
    style.SetFontFamilyToArial()
    style.BoldOn()
    style.SetJustificationToCentered()
    style.SetVerticalJustificationToTop()
    style.SetBackgroundOpacity(1.0)
    style.FrameOn()
    style.SetFrameWidth(1)
    return actor


def _unit(colour: str) -> tuple[float, ...]:
    return tuple(part / 255 for part in rgb(colour))
