"""The MotionQATrainer module: what Slicer asks of it, and `train` and `compare` for its console.

In Slicer's Python console::

    import MotionQATrainer
    run = MotionQATrainer.train(data="…/CMRxMotion", labels="…/IQA.csv")
    help(MotionQATrainer.train)
"""

import sys
import tempfile
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

CONSOLE = ("attach", "compare", "train")
"""What is meant for the Python console: `MotionQATrainerLib.api`, documented there."""


def __getattr__(name):
    """The functions of `CONSOLE`, imported when they are first used: Slicer starts without them."""
    if name not in CONSOLE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from MotionQATrainerWidgets import console

    return getattr(console, name)


def __dir__():
    return [*globals(), *CONSOLE]


class MotionQATrainer(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MotionQA Trainer")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        self.parent.dependencies = ["MotionQA"]
        self.parent.contributors = ["MotionQA contributors"]
        self.parent.helpText = _(
            "Trains networks that grade respiratory motion in cardiac MR, from radiologists' "
            "scores, from CMRxMotion, or from clean images on which motion is simulated. What was "
            "trained appears among MotionQA's checkpoints. In the Python console: "
            "<code>import MotionQATrainer; help(MotionQATrainer.train)</code>. Research use only: "
            "MotionQA is not a medical device."
        )
        self.parent.acknowledgementText = _(
            "Scale and grades are those of the CMRxMotion challenge (Wang et al., 2022, "
            "arXiv:2210.06385). The networks are those of timm (Wightman, "
            "github.com/huggingface/pytorch-image-models)."
        )


class MotionQATrainerWidget(ScriptedLoadableModuleWidget):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        self.logic = self.panel = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from MotionQATrainerWidgets.training_panel import TrainingPanel

        self.logic = MotionQATrainerLogic()
        ui_file = self.resourcePath("UI/MotionQATrainerPanel.ui")
        self.panel = TrainingPanel(self.logic.trainings, ui_file)
        self.ui = self.panel.ui
        self.layout.addWidget(self.panel.widget)
        self.layout.addStretch(1)
        if self.parent.isEntered:  # reloaded while it is shown
            self.enter()

    def enter(self):
        self.panel.enter()

    def exit(self):
        self.panel.leave()

    def cleanup(self):
        if self.panel is not None:  # else setup failed
            self.panel.dispose()

    def onReload(self):
        """Read our packages anew, too: Slicer reloads this file only. Trainings go on."""
        self.logic.trainings.rest()
        for name in list(sys.modules):
            if name.partition(".")[0] in ("MotionQATrainerLib", "MotionQATrainerWidgets"):
                del sys.modules[name]
        super().onReload()


class MotionQATrainerLogic(ScriptedLoadableModuleLogic):
    """Training for scripts: ``slicer.util.getModuleLogic("MotionQATrainer").train(data=…)``.

    `train`, `compare` and `attach` are those of the console.
    """

    @property
    def trainings(self):
        """MotionQATrainerWidgets.trainings.Trainings: those that this Slicer knows of."""
        from MotionQATrainerWidgets import trainings

        return trainings.shared()

    def __getattr__(self, name):
        return __getattr__(name)


class MotionQATrainerTest(ScriptedLoadableModuleTest):
    """What must work in any Slicer; the whole suite runs under pytest, in Testing/."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        for name in [name for name in dir(self) if name.startswith("test_")]:
            self.setUp()
            getattr(self, name)()

    def test_console(self):
        logic = MotionQATrainerLogic()
        self.assertIn("run.cancel()", logic.train.__doc__)
        if self._lacks_packages():
            return
        table = logic.compare(["motionqa-no-such-checkpoint"])
        self.assertIn("motionqa-no-such-checkpoint", table.rows[0].failed)

    def test_curves(self):
        from MotionQATrainerWidgets.plots import TrainingCurves

        curves = TrainingCurves()
        curves.update([{"epoch": 1, "train_loss": 1.5, "valid_nll": 1.2, "valid_kappa": 0.4}])
        curves.show()
        self.assertTrue(all(slicer.mrmlScene.IsNodePresent(node) for node in curves.nodes))
        curves.remove()
        self.assertEqual(curves.nodes, [])

    def test_training(self):
        """Start a training in the panel, see it run, and cancel it."""
        from MotionQATrainerWidgets import self_test_data as rated
        from MotionQAWidgets import self_test

        if self._lacks_packages():
            return
        if not self_test.has_window():
            self.delayDisplay("Not tested: this Slicer has no main window")
            return
        module = self_test.enter("MotionQATrainer")
        ui, trainings = module.ui, module.logic.trainings
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            rated.fill(ui, rated.write_set(Path(folder)), Path(folder) / "self-test")
            self.assertTrue(ui.trainButton.enabled, ui.trainButton.toolTip)
            before = len(trainings.known)
            ui.trainButton.click()
            self.assertEqual(len(trainings.known), before + 1, ui.messageLabel.text)
            training = trainings.known[0]
            try:
                self_test.wait(
                    lambda: "Epoch" in ui.progressLabel.text or not training.running,
                    "the training began",
                )
                self.assertEqual(ui.trainButton.text, "Cancel", ui.progressLabel.text)
                self.assertTrue(ui.progressBar.visible)
                ui.trainButton.click()
                self_test.wait(lambda: not training.running, "the training stopped")
                self.assertEqual(training.state, "stopped")
                self.assertIn("Resume goes on", ui.progressLabel.text)
                self.assertTrue(ui.resumeButton.enabled)
            finally:
                training.run.kill()
                trainings.forget(training)
        module.enter()

    def _lacks_packages(self):
        """Whether a training would ask for packages first."""
        from MotionQATrainerWidgets import console
        from MotionQAWidgets import dependencies

        lacking = dependencies.missing(console.REQUIREMENTS)
        if lacking:
            self.delayDisplay(f"Not tested: {dependencies.names_of(lacking)} missing")
        return bool(lacking)
