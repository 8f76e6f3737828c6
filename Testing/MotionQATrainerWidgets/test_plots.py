"""The curves: MRML nodes that plot views draw live, and that a closed scene does not break."""

from __future__ import annotations

import pytest

from host import pythonqt

pythonqt(__name__)

ROWS = [
    {"epoch": 1, "train_loss": 2.0, "valid_nll": 1.5, "valid_accuracy": 0.4, "valid_kappa": -0.1},
    {"epoch": 2, "train_loss": 1.5, "valid_nll": None, "valid_accuracy": None, "valid_kappa": None},
    {"epoch": 3, "train_loss": 1.1, "valid_nll": 1.0, "valid_accuracy": 0.7, "valid_kappa": 0.5},
]


@pytest.fixture
def curves(host):
    from MotionQATrainerWidgets.plots import TrainingCurves

    curves = TrainingCurves()
    yield curves
    curves.remove()


def table_of(curves, column: str):
    import slicer

    table = curves.tables[column]
    return [slicer.util.arrayFromTableColumn(table, name).tolist() for name in ("epoch", column)]


def test_the_log_is_drawn_and_grows(host, curves):
    import slicer

    curves.update(ROWS[:1])
    curves.show()
    manager = slicer.app.layoutManager()
    assert manager.plotViewCount == 2
    views = [manager.plotWidget(index) for index in range(2)]
    assert [v.mrmlPlotViewNode().GetPlotChartNode() for v in views] == curves.charts
    host.process_events(0.1)
    before = views[0].grab().toImage()
    curves.update(ROWS)
    assert table_of(curves, "train_loss") == [[1, 2, 3], [2.0, 1.5, 1.1]]
    assert table_of(curves, "valid_kappa") == [[1, 3], [-0.1, 0.5]]
    host.wait_until(lambda: views[0].grab().toImage() != before)  # it drew by itself
    plotted = [views[1].chart().GetPlot(index) for index in range(2)]
    assert [plot.GetLabel() for plot in plotted] == ["accuracy of the grade", "kappa of the grade"]


def test_the_layout_of_before_comes_back(host, curves):
    import slicer

    manager = slicer.app.layoutManager()
    before = manager.layout
    curves.update(ROWS)
    curves.show()
    curves.show()
    assert curves.visible and manager.layout != before
    curves.hide()
    assert manager.layout == before and manager.plotViewCount == 0
    curves.show()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)  # the user's choice
    curves.hide()
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView


def test_a_closed_scene_costs_the_curves_nothing(host, curves):
    import slicer

    curves.update(ROWS[:2])
    curves.show()
    slicer.mrmlScene.Clear(False)
    curves.update(ROWS[:2])
    assert all(slicer.mrmlScene.IsNodePresent(node) for node in curves.nodes)
    assert len(curves.nodes) == 10
    view = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode()
    assert view.GetPlotChartNode() is curves.charts[0]
    curves.remove()
    for kind in ("PlotChart", "PlotSeries", "Table"):
        assert not slicer.util.getNodesByClass(f"vtkMRML{kind}Node")


def test_nothing_of_it_is_saved_with_the_scene(host, curves):
    curves.update(ROWS)
    assert not any(node.GetSaveWithScene() for node in curves.nodes)


def test_the_curves_are_the_logs_columns():
    from MotionQATrainerLib.runs import training_log
    from MotionQATrainerWidgets import plots

    columns = {curve.column for _, _, curves in plots.charts() for curve in curves}
    assert len(columns) == 4 and columns <= set(training_log.COLUMNS)


def test_the_first_epoch_alone_is_a_point_that_vtk_draws(host, curves, capfd):
    import slicer

    curves.update(ROWS[:1])
    curves.show()
    slicer.app.layoutManager().plotWidget(0).pixels()
    assert "<2 points" not in capfd.readouterr().err
