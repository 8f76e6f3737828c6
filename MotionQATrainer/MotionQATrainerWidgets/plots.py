"""Loss, accuracy and κ of a training, drawn by Slicer's own plot views while it runs.

VTK's fonts lack Greek letters: hence "kappa".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import slicer
from slicer.i18n import tr as _

from MotionQALib.palette import GRADE_COLOURS, rgb
from MotionQALib.scale import Grade

LAYOUT = 5522
"""Of the two views, one above the other. Slicer's own layouts are below 100."""

VIEWS = ("MotionQATrainerLoss", "MotionQATrainerAgreement")

_ITEM = '<item><view class="vtkMRMLPlotViewNode" singletontag="{tag}">\
<property name="viewlabel" action="default">{label}</property></view></item>'
DESCRIPTION = '<layout type="vertical" split="true">{}{}</layout>'.format(
    *(_ITEM.format(tag=tag, label=tag.removeprefix("MotionQATrainer")) for tag in VIEWS)
)


@dataclass(frozen=True)
class Curve:
    """One column of the log, and how it is drawn."""

    column: str
    name: str
    colour: str
    dashed: bool = False


def charts() -> list[tuple[str, str, list[Curve]]]:
    """Title, title of the vertical axis, and curves of each view, in the colours of the grades."""
    blue, amber, crimson = (GRADE_COLOURS[grade].fill for grade in Grade)
    return [
        (
            _("Loss"),
            _("loss"),
            [
                Curve("train_loss", _("training"), blue, dashed=True),
                Curve("valid_nll", _("validation (negative log-likelihood)"), crimson),
            ],
        ),
        (
            _("Agreement on the validation subjects"),
            _("accuracy, kappa"),
            [
                Curve("valid_accuracy", _("accuracy of the grade"), amber),
                Curve("valid_kappa", _("kappa of the grade"), blue),
            ],
        ),
    ]


class TrainingCurves:
    """Tables, series and charts of one training in the scene.

    The nodes are not saved with the scene: the run's folder holds the numbers. Where the scene
    was closed, the next `update` makes them again.
    """

    def __init__(self) -> None:
        self.tables: dict[str, object] = {}
        self.charts: list = []
        self._shown: Sequence[Mapping[str, float]] = []
        self._before: int | None = None

    def update(self, rows: Sequence[Mapping[str, float]], epochs: int = 0) -> None:
        """Draw the log's rows, one an epoch; a figure that an epoch lacks is not drawn.

        Parameters
        ----------
        rows : with ``epoch`` and the columns of `charts`; all of them, from the first epoch on
        epochs : wanted, which the horizontal axes leave room for
        """
        if not rows:
            self._remove_nodes()
            return
        if not self.nodes or not all(map(slicer.mrmlScene.IsNodePresent, self.nodes)):
            self._make()
        elif rows == self._shown:
            return
        self._shown = list(rows)
        for column, table in self.tables.items():
            points = [(row["epoch"], row[column]) for row in rows if row.get(column) is not None]
            if not points:
                continue
            points *= 2 if len(points) == 1 else 1  # VTK complains of lines that are one point
            values = np.array(points, dtype=float).reshape(-1, 2)
            was = table.StartModify()
            slicer.util.updateTableFromArray(table, values, ["epoch", column])
            table.Modified()
            table.EndModify(was)
        for chart in self.charts:
            chart.SetXAxisRange(0, max(2, len(rows), epochs) + 0.2)
            chart.Modified()
        lowest = min((row.get("valid_kappa") or 0 for row in rows), default=0)
        self.charts[1].SetYAxisRange(min(0, lowest), 1)

    @property
    def nodes(self) -> list:
        """Every node that it keeps in the scene."""
        series = [
            chart.GetNthPlotSeriesNode(index)
            for chart in self.charts
            for index in range(chart.GetNumberOfPlotSeriesNodes())
        ]
        kept = (*self.tables.values(), *series, *self.charts)
        return [node for node in kept if node is not None]

    def show(self) -> None:
        """Give the two plot views the window; `hide` brings back the layout of before."""
        manager = slicer.app.layoutManager()
        if manager is None:  # Slicer without a main window
            return
        layout_node = manager.layoutLogic().GetLayoutNode()
        if not layout_node.IsLayoutDescription(LAYOUT):
            layout_node.AddLayoutDescription(LAYOUT, DESCRIPTION)
        if manager.layout != LAYOUT:
            self._before = manager.layout
            manager.setLayout(LAYOUT)
        self._connect_views()

    def hide(self) -> None:
        """Leave the layout, unless the user has left it already."""
        manager = slicer.app.layoutManager()
        before, self._before = self._before, None
        if manager is not None and before is not None and manager.layout == LAYOUT:
            manager.setLayout(before)

    @property
    def visible(self) -> bool:
        manager = slicer.app.layoutManager()
        return manager is not None and manager.layout == LAYOUT

    def remove(self) -> None:
        """Take everything out of the scene again."""
        self.hide()
        self._remove_nodes()

    def _remove_nodes(self) -> None:
        for node in reversed(self.nodes):
            slicer.mrmlScene.RemoveNode(node)
        self.tables, self.charts, self._shown = {}, [], []

    def _make(self) -> None:
        self._remove_nodes()  # what is left of them
        for title, axis, curves in charts():
            chart = self._add("vtkMRMLPlotChartNode", _("MotionQA training: {title}"), title)
            chart.SetTitle(title)
            chart.SetXAxisTitle(_("epoch"))
            chart.SetYAxisTitle(axis)
            chart.SetXAxisRangeAuto(False)
            self.charts.append(chart)
            for curve in curves:
                table = self._add("vtkMRMLTableNode", _("MotionQA training: {title}"), curve.name)
                self.tables[curve.column] = table
                chart.AddAndObservePlotSeriesNodeID(self._series(curve, table).GetID())
        self.charts[1].SetYAxisRangeAuto(False)
        if self.visible:
            self._connect_views()

    def _series(self, curve: Curve, table):
        series = self._add("vtkMRMLPlotSeriesNode", "{title}", curve.name)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName("epoch")
        series.SetYColumnName(curve.column)
        series.SetPlotType(series.PlotTypeScatter)
        series.SetLineStyle(series.LineStyleDash if curve.dashed else series.LineStyleSolid)
        series.SetMarkerStyle(series.MarkerStyleCircle)
        series.SetMarkerSize(7)
        series.SetLineWidth(3)
        series.SetColor(*(value / 255 for value in rgb(curve.colour)))
        return series

    @staticmethod
    def _add(kind: str, name: str, title: str):
        node = slicer.mrmlScene.AddNewNodeByClass(kind, name.format(title=title))
        node.SetSaveWithScene(False)
        return node

    def _connect_views(self) -> None:
        for tag, chart in zip(VIEWS, self.charts, strict=False):
            view = slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLPlotViewNode")
            if view is not None:
                view.SetDoPropagatePlotChartSelection(False)  # these show nothing else
                view.SetPlotChartNodeID(chart.GetID())
