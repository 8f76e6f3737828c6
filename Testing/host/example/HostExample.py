"""A module for the tests of the host: it does a little of everything a grading panel does."""

from pathlib import Path
from typing import Annotated

import ctk
import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HostExample(ScriptedLoadableModule):
    def __init__(self, parent):
        super().__init__(parent)
        parent.title = _("Host example")
        parent.categories = ["Testing"]


@parameterNodeWrapper
class Settings:
    volume: slicer.vtkMRMLScalarVolumeNode
    opacity: Annotated[float, WithinRange(0, 1)] = 0.5
    overlay: bool = True
    comment: str = ""
    folder: Path


class HostExampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.entered = self.cleaned = 0
        self.settings = self.gui = None

    def setup(self):
        super().setup()
        self.logic = HostExampleLogic()
        panel = slicer.util.loadUI(self.resourcePath("UI/HostExample.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.fold = ctk.ctkCollapsibleButton()
        self.fold.text = "Built in Python"
        form = qt.QFormLayout(self.fold)
        self.table = qt.QTableWidget()
        self.table.rowCount, self.table.columnCount = 1, 2
        self.table.setItem(0, 0, qt.QTableWidgetItem("score"))
        form.addRow(self.table)
        self.layout.addWidget(self.fold)
        self.ui.runButton.clicked.connect(self.run)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.reset)
        self.reset()

    def reset(self, *_):
        if self.settings:
            self.settings.disconnectGui(self.gui)
        self.settings = Settings(self.logic.getParameterNode())
        self.gui = self.settings.connectGui(self.ui)

    def run(self, *_):
        volume = self.settings.volume
        if volume is None:
            slicer.util.errorDisplay("Choose a volume")
            return
        self.ui.resultLabel.text = (
            f"{volume.GetName()}: {slicer.util.arrayFromVolume(volume).mean():.1f}"
        )
        self.ui.runButton.enabled = False
        self.ui.runButton.toolTip = "Done"
        view = slicer.app.layoutManager().sliceWidget("Red").sliceView()
        actor = vtk.vtkTextActor()
        actor.SetInput("5")
        actor.GetTextProperty().SetFontSize(60)
        actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        actor.SetPosition(0.1, 0.7)
        view.renderWindow().GetRenderers().GetFirstRenderer().AddViewProp(actor)
        self.actor = actor
        view.scheduleRender()

    def removeActor(self):
        view = slicer.app.layoutManager().sliceWidget("Red").sliceView()
        if getattr(self, "actor", None):
            view.renderWindow().GetRenderers().GetFirstRenderer().RemoveViewProp(self.actor)
            self.actor = None
            view.scheduleRender()

    def enter(self):
        self.entered += 1
        self.ui.runButton.enabled = True

    def exit(self):
        self.entered -= 1
        self.removeActor()

    def cleanup(self):
        self.cleaned += 1
        self.removeActor()
        self.settings.disconnectGui(self.gui)
        self.removeObservers()


class HostExampleLogic(ScriptedLoadableModuleLogic):
    def double(self, number):
        return 2 * number


class HostExampleTest(ScriptedLoadableModuleTest):
    ran = 0

    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_double(self):
        HostExampleTest.ran += 1
        self.assertEqual(HostExampleLogic().double(2), 4)
