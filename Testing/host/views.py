"""Slice views and the layout manager: trame-slicer's real slice views shown in Qt widgets.

Each view renders off screen and its widget paints the pixels, so a view looks the same in a
window, in a screenshot and in a test with no display.
"""

from __future__ import annotations

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from trame_slicer.views import ScheduledRenderStrategy, SliceView
from trame_slicer.views.abstract_view import ViewProps
from vtkmodules.util.numpy_support import vtk_to_numpy

from .plots import PlotViews

# name: orientation, colour of its bar (Slicer's own)
SLICES = {
    "Red": ("Axial", "#f34a33"),
    "Green": ("Coronal", "#6eb04b"),
    "Yellow": ("Sagittal", "#edd54c"),
}
FRAME_MS = 16


class RenderSoon(ScheduledRenderStrategy):
    """Renders once when the event loop comes round, however often it is asked."""

    def __init__(self):
        super().__init__()
        self.timer = QtCore.QTimer(singleShot=True, interval=FRAME_MS)
        self.timer.timeout.connect(self._render)

    def schedule_render(self):
        if not self.timer.isActive():
            self.timer.start()

    def did_render(self):
        self.timer.stop()

    def _render(self):
        if self.abstract_view:
            self.abstract_view.render()


class HostSliceView(SliceView):
    """trame-slicer's view, which keeps its logic to itself."""

    @property
    def logic(self):
        return self._logic

    def finalize(self):
        self.set_scheduled_render(None)
        self._scheduled_render = None
        super().finalize()


class SliceViewWidget(QtWidgets.QWidget):
    """What `sliceWidget.sliceView()` gives: Slicer's qMRMLSliceView."""

    BUTTONS = {  # noqa: RUF012
        QtCore.Qt.MouseButton.LeftButton: "LeftButton",
        QtCore.Qt.MouseButton.MiddleButton: "MiddleButton",
        QtCore.Qt.MouseButton.RightButton: "RightButton",
    }

    def __init__(self, view: HostSliceView):
        super().__init__()
        self._view = view
        self._rendered = None
        self.setMinimumSize(64, 64)
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        window = view.render_window()
        window.SetMultiSamples(0)
        window.AddObserver("EndEvent", self._after_render)
        self._corner = vtk.vtkCornerAnnotation()
        self._corner.SetMaximumFontSize(14)
        view.first_renderer().AddViewProp(self._corner)
        view.logic.AddObserver("ModifiedEvent", self._annotate)

    # Slicer's names

    def renderWindow(self):
        return self._view.render_window()

    def interactor(self):
        return self._view.interactor()

    def mrmlSliceNode(self):
        return self._view.get_view_node()

    def cornerAnnotation(self):
        return self._corner

    def displayableManagerByClassName(self, name: str):
        return self._view.get_displayable_manager_by_class(name)

    def scheduleRender(self):
        self._view.schedule_render()

    def forceRender(self):
        self._view.render()

    def _annotate(self, logic, _event):
        """The volumes' names in the lower left corner, as Slicer's DataProbe writes them."""
        layers = {"F": logic.GetForegroundLayer(), "B": logic.GetBackgroundLayer()}
        shown = {n: layer.GetVolumeNode() for n, layer in layers.items() if layer}
        text = "\n".join(f"{n}: {v.GetName()}" for n, v in shown.items() if v)
        self._corner.SetText(vtk.vtkCornerAnnotation.LowerLeft, text)

    # pixels

    def pixels(self):
        """The view rendered now, (rows, columns, RGB) uint8, top row first."""
        self.forceRender()
        return self._grab()

    def _grab(self):
        window = self.renderWindow()
        width, height = window.GetSize()
        data = vtk.vtkUnsignedCharArray()
        window.GetPixelData(0, 0, width - 1, height - 1, 0, data, 0)
        return vtk_to_numpy(data).reshape(height, width, 3)[::-1].copy()

    def _after_render(self, *_):
        self._rendered = self._grab()
        self.update()

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        if self._rendered is None:
            painter.fillRect(self.rect(), QtCore.Qt.GlobalColor.black)
            return
        rows, columns, _ = self._rendered.shape
        image = QtGui.QImage(
            self._rendered.data, columns, rows, 3 * columns, QtGui.QImage.Format.Format_RGB888
        )
        painter.drawImage(self.rect(), image)

    # the user's hand

    def resizeEvent(self, event):
        width, height = event.size().width(), event.size().height()
        self._view.update_size(width, height)
        self._view.logic.ResizeSliceNode(width, height)
        self._view.schedule_render()

    def _tell(self, event, name: str):
        interactor, keys = self.interactor(), event.modifiers()
        position = event.position()
        interactor.SetEventInformation(
            int(position.x()),
            self.height() - 1 - int(position.y()),
            int(bool(keys & QtCore.Qt.KeyboardModifier.ControlModifier)),
            int(bool(keys & QtCore.Qt.KeyboardModifier.ShiftModifier)),
        )
        interactor.InvokeEvent(name)

    def mouseMoveEvent(self, event):
        self._tell(event, "MouseMoveEvent")

    def mousePressEvent(self, event):
        self._tell(event, self.BUTTONS.get(event.button(), "LeftButton") + "PressEvent")

    def mouseReleaseEvent(self, event):
        self._tell(event, self.BUTTONS.get(event.button(), "LeftButton") + "ReleaseEvent")

    def wheelEvent(self, event):
        forward = event.angleDelta().y() > 0
        self._tell(event, "MouseWheelForwardEvent" if forward else "MouseWheelBackwardEvent")


class SliceController(QtWidgets.QWidget):
    """The bar above a slice view: its name, and a slider of its offset."""

    def __init__(self, name: str, view: HostSliceView):
        super().__init__()
        self._logic, self._busy = view.logic, False
        self.setAutoFillBackground(True)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        label = QtWidgets.QLabel(name[0])
        label.setStyleSheet(f"background: {SLICES[name][1]}; color: black; padding: 1px 6px;")
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._text = QtWidgets.QLabel()
        for part, stretch in ((label, 0), (self._slider, 1), (self._text, 0)):
            row.addWidget(part, stretch)
        self._slider.valueChanged.connect(self._slid)
        self._logic.AddObserver("ModifiedEvent", self._follow)
        view.get_view_node().AddObserver("ModifiedEvent", self._follow)

    def _range(self) -> tuple[float, float, float]:
        bounds, step = [0.0, 0.0], vtk.reference(1.0)
        if not self._logic.GetSliceOffsetRangeResolution(bounds, step):
            return 0.0, 0.0, 1.0
        return bounds[0], bounds[1], step.get() or 1.0

    def _follow(self, *_):
        low, high, step = self._range()
        offset = self._logic.GetSliceOffset()
        self._busy = True
        self._slider.setRange(0, max(0, round((high - low) / step)))
        self._slider.setValue(round((offset - low) / step))
        self._text.setText(f"{offset:.1f} mm")
        self._busy = False

    def _slid(self, position: int):
        if not self._busy:
            low, _, step = self._range()
            self._logic.SetSliceOffset(low + position * step)

    def sliceOffsetSlider(self):
        return self._slider


class SliceWidget(QtWidgets.QWidget):
    """What `layoutManager.sliceWidget("Red")` gives: Slicer's qMRMLSliceWidget."""

    def __init__(self, name: str, view: HostSliceView):
        super().__init__()
        self.setObjectName(f"qMRMLSliceWidget{name}")
        self.sliceViewName = name
        self._slice_view, self._logic = SliceViewWidget(view), view.logic
        self._controller = SliceController(name, view)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._controller)
        column.addWidget(self._slice_view, 1)

    def sliceView(self):
        return self._slice_view

    def sliceLogic(self):
        return self._logic

    def sliceController(self):
        return self._controller

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self):
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self):
        self._logic.FitSliceToAll()

    @property
    def sliceOrientation(self) -> str:
        return self.mrmlSliceNode().GetOrientation()

    @sliceOrientation.setter
    def sliceOrientation(self, orientation: str):
        self.mrmlSliceNode().SetOrientation(orientation)


THREE_D = "#views { background: qlineargradient(y1: 0, y2: 1, stop: 0 #c1c3e8, stop: 1 #747bc7); }"
"""What Slicer's 3-D view shows where there is nothing in it: its place stays empty here."""


class LayoutManager(QtCore.QObject):
    """Slicer's layout manager: the slice views, and which of them show; layouts of plot views."""

    layoutChanged = QtCore.Signal(int)
    threeDViewCount = tableViewCount = 0
    # layout -> the views it shows: (row, column, rows, columns)
    PLACES = {  # noqa: RUF012
        "OneUpRedSliceView": {"Red": (0, 0, 2, 2)},
        "OneUpYellowSliceView": {"Yellow": (0, 0, 2, 2)},
        "OneUpGreenSliceView": {"Green": (0, 0, 2, 2)},
        "ConventionalView": {
            "Red": (0, 0, 1, 2),
            "Green": (1, 0, 1, 1),
            "Yellow": (1, 1, 1, 1),
        },
        "FourUpView": {"Red": (0, 0, 1, 1), "Green": (1, 0, 1, 1), "Yellow": (1, 1, 1, 1)},
    }

    def __init__(self, scene, app_logic):
        super().__init__()
        self._scene = scene
        self._viewport = QtWidgets.QFrame(objectName="views")
        self._viewport.setStyleSheet(THREE_D)
        self._grid = QtWidgets.QGridLayout(self._viewport)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._views, self._widgets = {}, {}
        for name, (orientation, colour) in SLICES.items():
            vtk.vtkObject.GlobalWarningDisplayOff()  # trame-slicer asks for a dated event
            view = HostSliceView(scene, app_logic, name, scheduled_render_strategy=RenderSoon())
            vtk.vtkObject.GlobalWarningDisplayOn()
            view.set_view_properties(ViewProps(orientation=orientation, color=colour, group=0))
            node = view.get_view_node()
            node.SetLayoutLabel(name[0])
            node.SetLayoutName(name)
            self._views[name] = view
            self._widgets[name] = SliceWidget(name, view)
        self._plots = PlotViews(scene, self._grid)
        self._layout = None
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    # Slicer's names

    def viewport(self):
        return self._viewport

    def sliceViewNames(self):
        return tuple(self._widgets)

    def sliceWidget(self, name: str):
        return self._widgets.get(name)

    def mrmlSliceLogics(self):
        return slicer.app.applicationLogic().GetSliceLogics()

    def resetSliceViews(self):
        for widget in self._widgets.values():
            widget.fitSliceToBackground()

    def resetThreeDViews(self):
        """There are none."""

    def threeDWidget(self, _index):
        return None

    def layoutLogic(self):
        return self  # of which modules want the next

    def GetLayoutNode(self):
        return self._plots.layout_node

    plotViewCount = property(lambda self: len(self._plots.shown))

    def plotWidget(self, index: int):
        return self._plots.shown[index] if index < self.plotViewCount else None

    def setLayout(self, number: int):
        places = {
            getattr(slicer.vtkMRMLLayoutNode, f"SlicerLayout{name}"): place
            for name, place in self.PLACES.items()
        }
        described = number not in places and self._plots.knows(number)
        if number not in places and not described:
            raise ValueError(f"The host has no layout {number}; it has {', '.join(self.PLACES)}")
        self._plots.show(number if described else None)
        for name, widget in self._widgets.items():
            self._grid.removeWidget(widget)
            place = places.get(number, {}).get(name)
            if place:
                self._grid.addWidget(widget, *place)
            else:
                widget.setParent(None)
            widget.setVisible(bool(place))
            self._views[name].set_mapped_in_layout(bool(place))
        if number != self._layout:
            self._layout = number
            self.layoutChanged.emit(number)

    layout = property(lambda self: self._layout, lambda self, number: self.setLayout(number))

    def finalize(self):
        self._plots.finalize()
        for view in self._views.values():
            view.finalize()
