"""Plot views: VTK's charts drawn off screen from the real MRML nodes, and painted by Qt widgets."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from vtkmodules.util.numpy_support import vtk_to_numpy

FRAME_MS = 16
BACKGROUND = (255, 253, 246, 255)  # Slicer's
PENS = {
    slicer.vtkMRMLPlotSeriesNode.LineStyleSolid: vtk.vtkPen.SOLID_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDash: vtk.vtkPen.DASH_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDot: vtk.vtkPen.DOT_LINE,
}
MARKERS = {
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone: vtk.vtkPlotPoints.NONE,
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle: vtk.vtkPlotPoints.CIRCLE,
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleSquare: vtk.vtkPlotPoints.SQUARE,
}


class PlotWidget(QtWidgets.QWidget):
    """What `layoutManager.plotWidget(0)` gives: Slicer's qMRMLPlotWidget, line plots only."""

    def __init__(self, node):
        super().__init__()
        self._node, self._chart_node, self._tag = node, None, None
        self.setObjectName(f"qMRMLPlotWidget{node.GetLayoutName()}")
        self.setMinimumSize(64, 64)
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(4)
        self._view = vtk.vtkContextView()
        self._view.SetRenderWindow(self._window)
        self._timer = QtCore.QTimer(self, singleShot=True, interval=FRAME_MS)
        self._timer.timeout.connect(self._render)
        self._picture = None
        node.AddObserver("ModifiedEvent", self._follow)
        node.AddObserver(node.PlotChartNodeChangedEvent, self._follow)
        slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.NodeRemovedEvent, self._follow)

    # Slicer's names

    def mrmlPlotViewNode(self):
        return self._node

    def plotView(self):
        return self

    def chart(self):
        return self._drawn()

    # drawing

    def _follow(self, *_):
        chart = self._node.GetPlotChartNode()
        if chart is not self._chart_node:
            if self._chart_node is not None:
                self._chart_node.RemoveObserver(self._tag)
            self._chart_node = chart
            if chart is not None:
                self._tag = chart.AddObserver("ModifiedEvent", self._soon)
        self._soon()

    def _soon(self, *_):
        if not self._timer.isActive():
            self._timer.start()

    def _drawn(self) -> vtk.vtkChartXY:
        """The chart that the nodes describe, made anew."""
        chart, node = vtk.vtkChartXY(), self._chart_node
        chart.GetBackgroundBrush().SetColor(*BACKGROUND)
        if node is None:
            return chart
        for index in range(node.GetNumberOfPlotSeriesNodes()):
            self._add(chart, node.GetNthPlotSeriesNode(index))
        chart.SetTitle(node.GetTitle() or "" if node.GetTitleVisibility() else "")
        chart.GetTitleProperties().SetFontSize(node.GetTitleFontSize())
        chart.SetShowLegend(node.GetLegendVisibility())
        chart.GetLegend().SetHorizontalAlignment(vtk.vtkChartLegend.RIGHT)
        for number, name in ((vtk.vtkAxis.BOTTOM, "XAxis"), (vtk.vtkAxis.LEFT, "YAxis")):
            axis = chart.GetAxis(number)
            axis.SetTitle(getattr(node, f"Get{name}Title")() or "")
            axis.SetGridVisible(node.GetGridVisibility())
            axis.GetTitleProperties().SetFontSize(node.GetAxisTitleFontSize())
            axis.GetTitleProperties().SetBold(False)
            axis.GetLabelProperties().SetFontSize(node.GetAxisLabelFontSize())
            if not getattr(node, f"Get{name}RangeAuto")():
                axis.SetBehavior(vtk.vtkAxis.FIXED)
                axis.SetRange(*getattr(node, f"Get{name}Range")())
        return chart

    @staticmethod
    def _add(chart, series):
        table = series.GetTableNode() and series.GetTableNode().GetTable()
        x, y = series.GetXColumnName(), series.GetYColumnName()
        if not table or not table.GetColumnByName(x) or not table.GetColumnByName(y):
            return
        plot = vtk.vtkPlotLine()
        plot.SetInputData(table, x, y)
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.SetWidth(series.GetLineWidth())
        plot.GetPen().SetLineType(PENS.get(series.GetLineStyle(), vtk.vtkPen.NO_PEN))
        plot.SetMarkerStyle(MARKERS.get(series.GetMarkerStyle(), vtk.vtkPlotPoints.CROSS))
        plot.SetMarkerSize(series.GetMarkerSize())
        chart.AddPlot(plot)

    def _render(self):
        scene = self._view.GetScene()
        scene.ClearItems()
        scene.AddItem(self._drawn())
        self._window.SetSize(max(64, self.width()), max(64, self.height()))
        self._window.Render()
        width, height = self._window.GetSize()
        data = vtk.vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, data, 0)
        self._picture = vtk_to_numpy(data).reshape(height, width, 3)[::-1].copy()
        self.update()

    def pixels(self):
        """The view drawn now, (rows, columns, RGB) uint8, top row first."""
        self._render()
        return self._picture

    def paintEvent(self, event):
        if self._picture is not None:
            rows, columns, _ = self._picture.shape
            kind = QtGui.QImage.Format.Format_RGB888
            image = QtGui.QImage(self._picture.data, columns, rows, 3 * columns, kind)
            QtGui.QPainter(self).drawImage(self.rect(), image)

    def resizeEvent(self, event):
        self._soon()

    def finalize(self):
        self._timer.stop()
        self._window.Finalize()


class PlotViews:
    """The plot views of layouts that a module described: all of one layout, one below the other."""

    def __init__(self, scene, grid: QtWidgets.QGridLayout):
        self._scene, self._grid, self._widgets = scene, grid, {}
        self.layout_node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        if self.layout_node is None:
            self.layout_node = scene.AddNode(slicer.vtkMRMLLayoutNode())
        self.shown: list[PlotWidget] = []

    def knows(self, layout: int) -> bool:
        return self.layout_node.IsLayoutDescription(layout)

    def show(self, layout: int | None):
        """Show the views of a described layout, or none."""
        for widget in self.shown:
            self._grid.removeWidget(widget)
            widget.setParent(None)
        self.shown = [] if layout is None else [self._widget(name) for name in self._names(layout)]
        for row, widget in enumerate(self.shown):
            self._grid.addWidget(widget, row, 0, 1, 2)
            widget.show()

    def _names(self, layout: int) -> list[str]:
        root = ET.fromstring(self.layout_node.GetLayoutDescription(layout))
        views = list(root.iter("view"))
        others = {view.get("class") for view in views} - {"vtkMRMLPlotViewNode"}
        if others:
            raise ValueError(f"The host shows only plot views in such a layout, not {others}")
        return [view.get("singletontag") for view in views]

    def _widget(self, name: str) -> PlotWidget:
        if name not in self._widgets:
            node = slicer.vtkMRMLPlotViewNode()
            node.SetSingletonTag(name)
            node.SetLayoutName(name)
            node.SetName(name)
            self._widgets[name] = PlotWidget(self._scene.AddNode(node))
        return self._widgets[name]

    def finalize(self):
        for widget in self._widgets.values():
            widget.finalize()
