"""The MotionQA module: what Slicer asks of it. The rest is in MotionQAWidgets and MotionQALib."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class MotionQA(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MotionQA")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        # Loaded before this module and unloaded after it: a cine's frame is asked of its logic.
        self.parent.dependencies = ["Sequences"]
        self.parent.contributors = ["MotionQA contributors"]
        self.parent.helpText = _(
            "Grades respiratory motion in cardiac MR cine, slice by slice, from 5 (excellent) to 1 "
            "(non-diagnostic): mild (4–5), moderate (3) or severe (1–2). Choose a volume, press "
            "<i>Assess motion</i>, and see the grades over the slice views. Research use only: "
            "MotionQA is not a medical device."
        )
        self.parent.acknowledgementText = _(
            "Scale and grades are those of the CMRxMotion challenge (Wang et al., 2022, "
            "arXiv:2210.06385). The starter checkpoint was trained on simulated motion over images "
            "of the ACDC challenge (Bernard et al., IEEE TMI 2018)."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)
        slicer.app.connect("startupCompleted()", goOnWithArrivals)
        registerDICOMPlugin()


def registerDICOMPlugin():
    """Add our reader to those of the DICOM module, which may be discovered later than this one."""
    try:
        plugins = slicer.modules.dicomPlugins
    except AttributeError:
        plugins = slicer.modules.dicomPlugins = {}
    plugins["MotionQAShortAxisPlugin"] = MotionQAShortAxisPlugin


def MotionQAShortAxisPlugin():
    """A new reader of short-axis stacks; imported when the DICOM module asks for it."""
    from MotionQAWidgets.dicom_plugin import ShortAxisPlugin

    return ShortAxisPlugin()


def registerSampleData():
    """Add the phantom's four behaviours to the Sample Data module."""
    from MotionQAWidgets import sample_data

    sample_data.register()


def goOnWithArrivals():
    """Grade what arrives, and what arrived meanwhile, where an earlier Slicer left that on."""
    if slicer.util.settingsValue("MotionQA/AssessArrivals", False, converter=slicer.util.toBool):
        slicer.util.getModuleLogic("MotionQA").arrivals.go_on()


@parameterNodeWrapper
class MotionQAParameterNode:
    """The settings that are saved with the scene.

    checkpoint is the name of an installed one, or a file.
    """

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    checkpoint: str = "motionqa-starter"
    overlayVisible: bool = True
    relevanceVisible: bool = False
    relevanceOpacity: Annotated[float, WithinRange(0, 1)] = 0.5


class MotionQAWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = self.panel = self.tabs = self._settings = self._guiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from MotionQAWidgets.assess_panel import AssessPanel
        from MotionQAWidgets.batch.batch_panel import BatchPanel
        from MotionQAWidgets.panel_tabs import PanelTabs
        from MotionQAWidgets.reading.labelling_panel import LabellingPanel
        from MotionQAWidgets.scanner.arrivals_panel import ArrivalsPanel

        self.logic = MotionQALogic()
        self.panel = AssessPanel(self.logic.grading, self.resourcePath("UI/MotionQAAssessPanel.ui"))
        self.ui = self.panel.ui
        self.labelling = LabellingPanel(
            self.logic.grading, self.resourcePath("UI/MotionQALabellingPanel.ui")
        )
        results = self.logic.grading.results
        self.scanner = ArrivalsPanel(self.logic.arrivals, results, self.chooseVolume)
        self.batch = BatchPanel(results, self.showVolume)
        self.tabs = PanelTabs(
            (
                (_("Assess"), self.panel),
                (_("Read and score"), self.labelling),
                (_("At the scanner"), self.scanner),
                (_("Batch"), self.batch),
            ),
        )
        self.layout.addWidget(self.tabs.widget)
        self.layout.addStretch(1)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneLeaving)
        self.addObserver(scene, scene.StartImportEvent, self._onSceneLeaving)
        # The last event of closing and of importing, when the selectors know the new scene.
        self.addObserver(scene, scene.EndBatchProcessEvent, self._onSceneThere)
        if self.parent.isEntered:  # reloaded while it is shown
            self.enter()

    def enter(self):
        self._connectSettings()
        self.tabs.enter()

    def chooseVolume(self, node):
        """Make a volume the one that the first tab is about."""
        if self._settings is not None:
            self._settings.inputVolume = node

    def showVolume(self, node):
        """Choose a volume, and bring the first tab to the front."""
        self.chooseVolume(node)
        self.tabs.show(self.panel)

    def exit(self):
        self.tabs.leave()
        self._disconnectSettings()

    def cleanup(self):
        if self.tabs is not None:  # else setup failed
            self.tabs.dispose()
            self._disconnectSettings()
        if self.logic is not None:
            self.logic.close()
        self.removeObservers()

    def onReload(self):
        """Read our packages anew, too: Slicer reloads this file only."""
        for name in list(sys.modules):
            if name.partition(".")[0] in ("MotionQALib", "MotionQAWidgets"):
                del sys.modules[name]
        super().onReload()

    def _onSceneLeaving(self, *_args):
        self._disconnectSettings()

    def _onSceneThere(self, *_args):
        if self.parent.isEntered and self._settings is None:
            self._connectSettings()

    def _connectSettings(self):
        self._disconnectSettings()
        settings = self._settings = self.logic.getParameterNode()
        if settings.inputVolume is None:
            settings.inputVolume = self.logic.shownVolume()
        self._guiTag = settings.connectGui(self.ui)
        # Joining lets the selector list subclasses again, such as label maps.
        self.ui.volumeSelector.showChildNodeTypes = False
        self.panel.set_settings(settings)
        self.labelling.set_settings(settings)
        self.scanner.set_settings(settings)
        self.batch.set_settings(settings)
        self.addObserver(settings.parameterNode, "ModifiedEvent", self.panel.refresh)

    def _disconnectSettings(self):
        settings, self._settings = self._settings, None
        if settings is not None:
            settings.disconnectGui(self._guiTag)
            self.removeObserver(settings.parameterNode, "ModifiedEvent", self.panel.refresh)
            self.panel.set_settings(None)


class MotionQAFileReader:
    """Opens a 4-D NIfTI file as a sequence, of which Slicer itself opens the first frame."""

    def __init__(self, parent):
        self.parent = parent

    def description(self):
        return _("Cine (4-D NIfTI)")

    def fileType(self):
        return "SequenceFile"  # so that slicer.util.loadSequence knows it, too

    def extensions(self):
        return [_("Cine (4-D NIfTI)") + " (*.nii *.nii.gz)"]

    def canLoadFileConfidence(self, filePath):
        from MotionQAWidgets import cine_reader

        return cine_reader.confidence(filePath)

    def load(self, properties):
        from MotionQAWidgets import cine_reader

        return cine_reader.serve(self.parent, properties)


class MotionQALogic(ScriptedLoadableModuleLogic):
    """Grading for scripts: ``slicer.util.getModuleLogic("MotionQA").assess(volumeNode)``."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self._grading = self._arrivals = None

    def getParameterNode(self):
        return MotionQAParameterNode(super().getParameterNode())

    @property
    def grading(self):
        """MotionQAWidgets.grading.Grading: without waiting, with signals."""
        if self._grading is None:
            from MotionQAWidgets.grading import Grading

            self._grading = Grading()
        return self._grading

    @property
    def arrivals(self):
        """MotionQAWidgets.scanner.arrival_grading.ArrivalGrading: of the DICOM database."""
        if self._arrivals is None:
            from MotionQAWidgets.scanner.arrival_grading import ArrivalGrading

            self._arrivals = ArrivalGrading()
        return self._arrivals

    def assess(self, volumeNode, checkpoint="motionqa-starter", device="auto"):
        """Grade a volume, or the cine that a sequence browser plays in it; wait for the result.

        Slicer's window keeps answering meanwhile. The result is kept in the scene, too.

        Returns
        -------
        MotionQALib.results.Assessment

        Raises
        ------
        RuntimeError : it could not be graded; the text says why
        """
        return self.grading.assess_and_wait(volumeNode, str(checkpoint), device)

    def result(self, volumeNode):
        """The Assessment that the scene holds of a volume, or None."""
        found = self.grading.results.result_for(volumeNode)
        return None if found is None else found.assessment

    @staticmethod
    def shownVolume():
        """The scalar volume in a slice view, else the scene's first, else None."""
        from MotionQAWidgets.volume_input import is_candidate

        views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        shown = [slicer.mrmlScene.GetNodeByID(v.GetBackgroundVolumeID() or "") for v in views]
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        return next((node for node in [*shown, *volumes] if is_candidate(node)), None)

    def close(self):
        """End the grading processes; nothing is left connected."""
        if self._arrivals is not None:
            self._arrivals.dispose()
            self._arrivals = None
        if self._grading is not None:
            self._grading.dispose()
            self._grading = None


class MotionQATest(ScriptedLoadableModuleTest):
    """What must work in any Slicer; the whole suite runs under pytest, in Testing/."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        for name in [name for name in dir(self) if name.startswith("test_")]:
            self.setUp()
            getattr(self, name)()

    def test_settings(self):
        from MotionQAWidgets import self_test

        logic, volume = MotionQALogic(), self_test.ring()
        logic.getParameterNode().inputVolume = volume
        self.assertEqual(logic.getParameterNode().checkpoint, "motionqa-starter")
        self.assertIs(logic.getParameterNode().inputVolume, volume)

    def test_no_volume(self):
        logic = MotionQALogic()
        empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
        with self.assertRaisesRegex(RuntimeError, "empty holds no image"):
            logic.assess(empty)
        logic.close()

    def test_assess(self):
        """Press the button; read sentence, overlay, strip and table."""
        from MotionQAWidgets import self_test

        if self._lacks_packages() or self._lacks_window():
            return
        volume, module = self_test.ring(), self_test.enter("MotionQA")
        module.tabs.widget.currentIndex = 0
        module.ui.volumeSelector.setCurrentNode(volume)
        self.assertTrue(module.ui.assessButton.enabled, module.ui.assessButton.toolTip)
        module.ui.assessButton.click()
        self_test.wait(lambda: not module.logic.grading.running, "the volume was graded")
        assessment = module.logic.result(volume)
        self.assertIsNotNone(assessment, module.ui.messageLabel.text)
        score = str(assessment.volume_score)
        self.assertTrue(module.ui.resultLabel.text.startswith(f"Volume: {score} ·"))
        view = module.panel.results_view
        self.assertEqual(self_test.cells(view.table.widget, 0)[:2], ["volume", score])
        self.assertEqual(view.strip.widget.columnCount, 3)
        view.next_button.click()
        slicer.app.processEvents()
        shown = view.strip.widget.item(1, assessment.slices_from_worst[0]).text()[0]
        self.assertIn(f"{shown} ·", " ".join(self_test.drawn("Red")))
        module.ui.overlayCheckBox.click()
        self.assertEqual([text for text in self_test.drawn("Red") if "·" in text], [])
        module.ui.overlayCheckBox.click()

    def test_read(self):
        """Score a case by its button; the score is in the study's folder when it says so."""
        from MotionQAWidgets import self_test
        from MotionQAWidgets.reading.study_section import STUDY_SETTING, NewStudy

        if self._lacks_window():
            return
        self_test.ring(seed=1)
        self_test.ring(seed=2)
        module = self_test.enter("MotionQA")
        module.tabs.widget.currentIndex = 1
        panel, ui = module.labelling, module.labelling.ui
        before = ui.readerLineEdit.text, slicer.util.settingsValue(STUDY_SETTING, "")
        with tempfile.TemporaryDirectory() as folder:
            ui.readerLineEdit.text = "self-test"
            panel.create(NewStudy(Path(folder) / "study", None, {}))
            self_test.wait(lambda: panel.scoring is not None, "the study was open")
            self_test.wait(lambda: panel.reading.seen, "the case was seen")
            slicer.util.findChild(ui.scoresFrame, "score2Button").click()
            self.assertIn("2 · ", ui.savedLabel.text)
            logs = [path.read_text("utf-8") for path in Path(folder).rglob("*.jsonl")]
            self.assertTrue(any('"score":2' in log for log in logs), logs)
            ui.undoButton.click()
            self.assertEqual(panel.scoring.entries, {})
            ui.closeButton.click()
            self.assertIsNone(panel.scoring)
        ui.readerLineEdit.text, last = before
        slicer.app.settings().setValue(STUDY_SETTING, last)
        module.tabs.widget.currentIndex = 0

    def _lacks_packages(self):
        from MotionQAWidgets import dependencies

        lacking = dependencies.missing()
        if lacking:
            self.delayDisplay(f"Not tested: {dependencies.names_of(lacking)} missing")
        return bool(lacking)

    def _lacks_window(self):
        from MotionQAWidgets import self_test

        if not self_test.has_window():
            self.delayDisplay("Not tested: this Slicer has no main window")
        return not self_test.has_window()
