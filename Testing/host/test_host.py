"""The host does what Slicer does, as far as a grading panel can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host import pythonqt
from host.fixtures import *  # noqa: F403

pythonqt(__name__)
EXAMPLE = Path(__file__).parent / "example" / "HostExample.py"


@pytest.fixture
def volume(host):
    """A bright square on black, 6 slices of 64 x 64, shown in the slice views."""
    import slicer

    voxels = np.zeros((6, 64, 64), np.int16)
    voxels[:, 16:48, 16:48] = 500 + 100 * np.arange(6)[:, None, None]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "heart")
    node.SetSpacing(1.5, 1.5, 8)
    slicer.util.updateVolumeFromArray(node, voxels)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevelMinMax(0, 1000)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


@pytest.fixture
def example(host):
    yield host.enter(EXAMPLE)
    host.leave()


def test_a_slice_view_shows_the_volume_and_follows_its_offset(host, volume):
    import slicer

    logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    logic.SetSliceOffset(0)
    first = host.pixels("Red")
    logic.SetSliceOffset(40)
    last = host.pixels("Red")
    rows, columns, _ = first.shape
    assert first[rows // 2, columns // 2, 0] < last[rows // 2, columns // 2, 0]


def test_the_users_buttons_and_what_they_show(host, volume, example):
    before = host.pixels("Red")
    assert example.ui.volumeSelector.currentNode() is None
    example.ui.volumeSelector.setCurrentNode(volume)
    example.ui.runButton.click()
    after = host.pixels("Red")
    assert example.ui.resultLabel.text.startswith("heart: 1")
    assert not example.ui.runButton.enabled
    assert np.abs(after.astype(int) - before).max() > 100
    host.leave()
    assert np.array_equal(host.pixels("Red"), before)


def test_messages_are_recorded(host, example):
    example.ui.runButton.click()
    assert host.dialogs.texts("error") == ["Choose a volume"]


def test_the_parameter_node_and_its_widgets_agree(host, volume, example):
    example.ui.opacitySlider.value = 0.25
    example.ui.commentEdit.text = "ghosts"
    example.ui.volumeSelector.setCurrentNode(volume)
    settings = example.settings
    assert (settings.opacity, settings.comment, settings.volume) == (0.25, "ghosts", volume)
    settings.overlay = False
    assert not example.ui.overlayCheckBox.checked
    with pytest.raises(ValueError, match="not within"):
        settings.opacity = 2.0


def test_a_scene_survives_mrb(host, volume, example, tmp_path):
    import slicer

    example.ui.commentEdit.text = "saved"
    example.ui.volumeSelector.setCurrentNode(volume)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "results")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(table), hierarchy.GetItemByDataNode(volume))
    voxels = slicer.util.arrayFromVolume(volume).copy()
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(False)
    assert example.settings.volume is None
    slicer.util.loadScene(str(path))
    example.reset()
    assert example.ui.commentEdit.text == "saved"
    assert example.ui.volumeSelector.currentNode().GetName() == "heart"
    assert np.array_equal(slicer.util.arrayFromVolume(slicer.util.getNode("heart")), voxels)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    child = hierarchy.GetItemByDataNode(slicer.util.getNode("results"))
    assert hierarchy.GetItemName(hierarchy.GetItemParent(child)) == "heart"


def test_enter_exit_and_reload(host, example):
    import slicer

    assert example.entered == 1 and example.parent.isEntered
    slicer.util.reloadScriptedModule("HostExample")
    fresh = slicer.util.getModuleWidget("HostExample")
    assert fresh is not example and example.cleaned == 1
    assert slicer.util.getModuleLogic("HostExample").double(4) == 8
    fresh.ui.runButton.click()
    assert host.dialogs.texts("error") == ["Choose a volume"]
    fresh.entered = 1


def test_the_modules_own_test_runs(host, example):
    import slicer

    slicer.selfTests["HostExample"]()


def test_an_exception_in_a_slot_is_noticed(host):
    import qt

    button = qt.QPushButton("x")
    button.clicked.connect(lambda *_: 1 / 0)
    button.click()
    assert "ZeroDivisionError" in host.raised.pop()


def test_an_attribute_that_qt_lacks_is_noticed(host):
    import qt

    from host.spelling import stray_attributes

    button = qt.QPushButton("x")
    button.enabled = False
    assert not stray_attributes([button])
    button.enbled = False
    assert stray_attributes([button]) == ["QPushButton '' .enbled"]


def test_a_sequence_has_a_browser_and_a_proxy(host, tmp_path):
    import nrrd
    import slicer

    voxels = np.arange(3 * 4 * 16 * 16, dtype=np.int16).reshape(16, 16, 4, 3)
    header = {
        "space": "left-posterior-superior",
        "kinds": ["domain", "domain", "domain", "list"],
        "space directions": np.vstack([np.diag([1.0, 1, 8]), [[np.nan] * 3]]),
        "space origin": [0, 0, 0],
    }
    nrrd.write(str(tmp_path / "cine.seq.nrrd"), voxels, header)
    sequence = slicer.util.loadSequence(str(tmp_path / "cine.seq.nrrd"))
    browser = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")[0]
    proxy = browser.GetProxyNode(sequence)
    for frame in range(browser.GetNumberOfItems()):
        browser.SetSelectedItemNumber(frame)
        assert np.array_equal(slicer.util.arrayFromVolume(proxy), voxels[..., frame].T)
    assert frame == 2
    layers = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert layers.GetBackgroundVolumeID() == proxy.GetID()


def test_files_are_read_and_written(host, phantom_file, tmp_path):
    import slicer

    volume = slicer.util.loadVolume(str(phantom_file))
    assert volume.GetName() == "phantom-ED"
    assert host.pixels("Red").max() > 100
    assert slicer.util.saveNode(volume, str(tmp_path / "copy.nrrd"))
    copy = slicer.util.loadVolume(str(tmp_path / "copy.nrrd"))
    assert np.array_equal(slicer.util.arrayFromVolume(copy), slicer.util.arrayFromVolume(volume))
    with pytest.raises(RuntimeError):
        slicer.util.loadVolume(str(tmp_path / "absent.nrrd"))


def test_an_oblique_view_knows_that_it_is(host, volume):
    import slicer
    import vtk

    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    straight = host.pixels("Red")
    moves = []
    tag = node.AddObserver("ModifiedEvent", lambda *_: moves.append(1))
    turn = vtk.vtkTransform()
    turn.SetMatrix(node.GetSliceToRAS())
    turn.RotateX(30)
    node.GetSliceToRAS().DeepCopy(turn.GetMatrix())
    node.UpdateMatrices()
    assert moves and not np.array_equal(host.pixels("Red"), straight)
    node.RemoveObserver(tag)
    node.SetOrientation("Axial")


def test_the_users_answers(host):
    import qt
    import slicer

    host.dialogs.answers = [False, True]
    assert not slicer.util.confirmOkCancelDisplay("Sure?")
    assert slicer.util.confirmYesNoDisplay("Sure?")
    assert [m.confirmation for m in host.dialogs.shown] == [True, True]
    host.files.answers.append("/tmp/report.csv")
    assert qt.QFileDialog.getSaveFileName(None, "Save", "", "CSV (*.csv)") == "/tmp/report.csv"
    assert qt.QFileDialog.getSaveFileName(None, "Save", "", "CSV (*.csv)") == ""


def test_packages_are_asked_for_and_not_installed(host, tmp_path):
    import slicer.packaging

    (tmp_path / "requirements.txt").write_text("# comment\ntimm>=1.0\nnumpy\n")
    wanted = slicer.packaging.load_requirements(tmp_path / "requirements.txt")
    host.pip.missing = {"timm"}
    host.dialogs.answers = [False]
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure(wanted, requester="MotionQA")
    assert host.pip.installed == [] and "timm" in host.dialogs.shown[0].details
    slicer.packaging.pip_ensure(wanted, requester="MotionQA")
    assert host.pip.installed == [["timm>=1.0"]]
    assert slicer.packaging.pip_check(wanted)


def test_sample_data_are_registered_and_made(host):
    import SampleData
    import slicer

    def make(source):
        return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", source.sampleName)

    register = SampleData.SampleDataLogic.registerCustomSampleDataSource
    about = {"category": "Testing", "sampleName": "Sample", "customDownloader": make}
    with pytest.raises(TypeError):
        register(**about)
    register(**about, uris="file:///sample.nrrd", fileNames="sample.nrrd")
    assert SampleData.downloadSample("Sample").GetName() == "Sample"


def test_a_shortcut_works_where_the_panel_has_the_focus(host, example):
    import qt

    pressed = []
    shortcut = qt.QShortcut(qt.QKeySequence("3"), example.parent)
    shortcut.context = qt.Qt.WidgetWithChildrenShortcut
    shortcut.activated.connect(lambda *_: pressed.append(3))
    example.ui.runButton.setFocus()
    qt.QTest.keyClick(example.ui.runButton, qt.Qt.Key_3)
    shortcut.delete() if hasattr(shortcut, "delete") else shortcut.setParent(None)
    assert pressed == [3]


def test_another_process_talks_while_qt_runs(host):
    import sys

    import qt

    process, said = qt.QProcess(), []
    process.readyReadStandardOutput.connect(
        lambda *_: said.append(process.readAllStandardOutput().data())
    )
    process.start(sys.executable, ["-c", "print(input())"])
    process.write(b"hello\n")
    host.wait_until(lambda: said)
    assert said == [b"hello\n"]
    process.waitForFinished()


def test_the_window_is_drawn(host, volume, example, tmp_path):
    import qt

    host.screenshot(tmp_path / "window.png")
    picture = qt.QImage(str(tmp_path / "window.png"))
    assert (picture.width(), picture.height()) == (1280, 800)
    # The bright square is in the picture, in the upper left of the views.
    assert any(picture.pixelColor(x, 200).red() > 100 for x in range(430, 1280, 5))


def test_spelling_where_pyside6_alone_would_differ(host):
    import qt

    combo = qt.QComboBox()
    combo.addItem("five", {"score": 5})
    assert (combo.count, combo.currentIndex, combo.currentData) == (1, 0, {"score": 5})
    row = qt.QHBoxLayout()
    row.setContentsMargins(1, 2, 3, 4)
    assert row.contentsMargins().right() == 3
    combo.name = "choice"
    assert (combo.objectName, combo.className()) == ("choice", "QComboBox")
    assert callable(qt.QTimer().singleShot)  # static, as in PythonQt
    with pytest.raises((AttributeError, TypeError)):
        combo.currentText()


def test_a_views_contents_come_back_with_the_scene(host, volume, tmp_path):
    import slicer

    logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    logic.SetSliceOffset(16)
    before = host.pixels("Red")
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert host.pixels("Red").mean() < 1  # nothing is shown
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert np.array_equal(host.pixels("Red"), before)


def test_a_layout_shows_its_views_only(host, volume):
    import slicer

    layouts = slicer.app.layoutManager()
    layouts.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    host.process_events(0.05)
    shown = [n for n in layouts.sliceViewNames() if layouts.sliceWidget(n).visible]
    assert shown == ["Red"]
    assert layouts.sliceWidget("Red").sliceView().width > 600
    assert host.pixels("Red").shape[1] == layouts.sliceWidget("Red").sliceView().width


def test_a_module_goes_as_when_slicer_quits_and_can_come_back(host):
    import slicer

    panel = host.enter(EXAMPLE)
    host.unload_module("HostExample")
    assert (panel.entered, panel.cleaned) == (0, 1)
    assert "HostExample" not in slicer.util.moduleNames()
    assert host.enter(EXAMPLE) is not panel


def test_a_layout_that_a_module_describes_shows_its_plot_views(host):
    import slicer

    layouts = slicer.app.layoutManager()
    before, number = layouts.layout, 900
    view = '<item><view class="vtkMRMLPlotViewNode" singletontag="Tested"/></item>'
    description = f'<layout type="vertical">{view}</layout>'
    layouts.layoutLogic().GetLayoutNode().AddLayoutDescription(number, description)
    layouts.setLayout(number)
    host.process_events()
    assert layouts.plotViewCount == 1
    assert not [n for n in layouts.sliceViewNames() if layouts.sliceWidget(n).visible]
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    slicer.util.updateTableFromArray(table, np.array([[0.0, 0.0], [1.0, 1.0]]), ["x", "y"])
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "line")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName("y")
    series.SetPlotType(series.PlotTypeScatter)
    series.SetColor(1, 0, 0)
    widget, chart = (
        layouts.plotWidget(0),
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode"),
    )
    empty = widget.pixels().copy()
    widget.mrmlPlotViewNode().SetPlotChartNodeID(chart.GetID())
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    drawn = widget.pixels().astype(int)
    assert (drawn != empty).any()
    assert (drawn[..., 0] - drawn[..., 1] > 100).sum() > 100  # a red line
    layouts.setLayout(before)
    assert layouts.plotViewCount == 0 and layouts.sliceWidget("Red").visible


@pytest.mark.parametrize("name", ["QVBoxLayout", "QFormLayout", "QMenu", "QIcon", "QUrl", "QColor"])
def test_what_is_empty_is_false_as_in_pythonqt(host, name):
    import qt

    assert not getattr(qt, name)()
    assert qt.QWidget() and qt.QTimer() and qt.QColor("red")
    assert not qt.QStandardItemModel() and qt.QStandardItemModel(1, 1)


def test_a_layout_is_true_while_something_in_it_is_shown(host):
    import qt

    widget = qt.QWidget()
    layout, label = qt.QVBoxLayout(widget), qt.QLabel("text")
    assert not layout and not widget.layout()
    layout.addWidget(label)
    assert layout and widget.layout()
    label.visible = False
    assert not layout


def test_an_empty_layout_is_not_found_by_its_name(host):
    """What kept a panel from opening in Slicer, whose own search passes over what is false."""
    import slicer

    ui_file = EXAMPLE.parent / "Resources" / "UI" / "HostExample.ui"
    ui = slicer.util.childWidgetVariables(slicer.util.loadUI(str(ui_file)))
    assert ui.emptyFrame.layout().objectName == "emptyLayout"
    with pytest.raises(AttributeError, match="emptyLayout"):
        ui.emptyLayout.addWidget(ui.runButton)
