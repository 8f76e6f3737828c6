"""The host itself: starts what stands in for Slicer, once a process."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_running: Host | None = None


def has_display() -> bool:
    """Whether a window can be shown here."""
    unix = sys.platform not in ("win32", "darwin")
    return not unix or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def start(*, window: bool = False) -> Host:
    """The running host; the first call starts it. window: in a real window, else off screen."""
    global _running
    if _running is None:
        _running = Host(window and has_display())
    return _running


class Host:
    """`import slicer, qt, ctk, vtk` work while it runs.

    dialogs      message boxes that were opened, and the user's answers (stand_ins.Dialogs)
    files        answers to file dialogs, and what they asked (qt_module.FileDialog)
    pip          packages that would have been installed (stand_ins.Pip)
    sample_data  what was registered with the Sample Data module (its SampleDataLogic)
    on_screen    whether its window is shown to a user
    """

    def __init__(self, window: bool):
        self.on_screen, self._closed = window, False
        if not window:
            os.environ["QT_QPA_PLATFORM"] = "offscreen"
        if not has_display():  # else VTK first tries, and complains of, X
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
        from PySide6 import QtCore, QtWidgets

        _keep_none_alive()
        QtCore.qInstallMessageHandler(_qt_says)
        self._folder = tempfile.mkdtemp(prefix="motionqa-host-settings-")
        ini = QtCore.QSettings.Format.IniFormat
        QtCore.QSettings.setDefaultFormat(ini)
        QtCore.QSettings.setPath(ini, QtCore.QSettings.Scope.UserScope, self._folder)
        QtCore.QCoreApplication.setOrganizationName("MotionQA")
        QtCore.QCoreApplication.setApplicationName("host")
        self.qapplication = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
        self._start_slicer()
        self.dialogs.interactive = window

    def _start_slicer(self):
        import slicer
        from trame_slicer.core import SlicerApp

        from . import stand_ins, subject_hierarchy
        from .ctk_widgets import make_ctk
        from .modules import LogicModule, ScriptedModule, make_modules
        from .modules import qSlicerScriptedLoadableModuleWidget as ModuleWidget
        from .qt_module import FileDialog, make_qt

        sys.modules["qt"], sys.modules["ctk"] = make_qt(), make_ctk()
        from . import app, mrml_widgets, parameter_nodes, scripted

        assert mrml_widgets.WIDGETS
        self.dialogs, self.pip, self.files = stand_ins.Dialogs(), stand_ins.Pip(), FileDialog
        parts = {
            "modules": make_modules(),
            "ScriptedLoadableModule": scripted,
            "parameterNodeWrapper": parameter_nodes,
            "i18n": stand_ins.make_i18n(),
            "packaging": self.pip.module(),
        }
        for name, part in parts.items():
            setattr(slicer, name, part)
            sys.modules[f"slicer.{name}"] = part
        sys.modules["SampleData"] = self.sample_data = stand_ins.make_sample_data()
        slicer.selfTests = {}
        slicer.qSlicerScriptedLoadableModule = ScriptedModule
        slicer.qSlicerScriptedLoadableModuleWidget = ModuleWidget

        core = self._core = SlicerApp()
        slicer.mrmlScene = core.scene
        subject_hierarchy.follow(core.scene)
        slicer.app = app.App(self.qapplication, core)
        slicer.dicomDatabase = slicer.app.dicomDatabase()  # as the DICOM module has it
        self.dialogs.install(slicer.util)
        slicer.util.pip_install = self.pip.install
        for name, logic in self._logics(core).items():
            slicer.app.moduleManager().add(LogicModule(name, logic))
        self.window = app.MainWindow(slicer.app.layoutManager())
        self.window.show()
        self.process_events()

    @staticmethod
    def _logics(core) -> dict:
        import slicer

        sequences = core.register_module_logic(slicer.vtkSlicerSequencesLogic())
        tables = core.register_module_logic(slicer.vtkSlicerTablesLogic())
        return {
            "Colors": core.color_logic,
            "Volumes": core.volumes_logic,
            "SubjectHierarchy": core.subject_hierarchy_logic,
            "Sequences": sequences,
            "Tables": tables,
        }

    # modules

    def load_module(self, name: str | Path):
        """Load a module by name (from this repository) or by its file. The module, loaded once."""
        import slicer

        path = Path(name) if str(name).endswith(".py") else ROOT / name / f"{name}.py"
        manager = slicer.app.moduleManager()
        module = manager.module(path.stem)
        if module is None:
            module = manager.load(path)
            self.window.moduleSelector().add(path.stem)
            slicer.app.complete_startup()
        return module

    def enter(self, name: str):
        """Choose the module as a user does; its Python widget."""
        import slicer

        self.load_module(name)
        slicer.util.selectModule(Path(name).stem)
        self.process_events()
        return slicer.util.getModuleWidget(Path(name).stem)

    def leave(self):
        """Choose no module: the one entered exits."""
        self.window.moduleSelector().selectModule("")
        self.process_events()

    def unload_module(self, name: str):
        """As when Slicer quits: cleanup() runs and the widget goes. No harm if it is not loaded."""
        import slicer

        if slicer.app.moduleManager().module(name) is None:
            return
        if self.window.moduleSelector().selectedModule == name:
            self.leave()
        selector = self.window.moduleSelector()
        selector.removeItem(selector.findData(name))
        self.window.drop_panel()
        slicer.app.moduleManager().unload(name)
        self.process_events()

    # time

    def process_events(self, seconds: float = 0.0):
        """Let Qt run: what is due now, or all that comes within so many seconds."""
        from PySide6 import QtCore

        end = time.monotonic() + seconds
        while True:
            self.qapplication.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 20)
            self.qapplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
            if time.monotonic() >= end:
                return
            time.sleep(0.002)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 120.0):
        """Let Qt run until the condition holds; AssertionError when it never does."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"It did not happen within {seconds:g} s"
            self.process_events(0.01)

    def run(self):
        """Leave the window to the user until they close it."""
        self.qapplication.exec()
        self.close()

    # views

    def pixels(self, view: str = "Red"):
        """What a slice view shows now: (rows, columns, RGB) uint8, top row first."""
        import slicer

        self.process_events()
        return slicer.app.layoutManager().sliceWidget(view).sliceView().pixels()

    def screenshot(self, path: str | Path):
        """Write the whole window as a picture."""
        import slicer

        self.process_events(0.1)
        for name in slicer.app.layoutManager().sliceViewNames():
            widget = slicer.app.layoutManager().sliceWidget(name)
            if widget.isVisible():
                widget.sliceView().forceRender()
        self.window.grab().save(str(path))

    def clear(self):
        """Between tests: an empty scene, no module entered, nothing recorded."""
        import slicer

        self.leave()
        slicer.mrmlScene.Clear(False)
        slicer.dicomDatabase.closeDatabase()
        slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self.dialogs.clear()
        self.pip.clear()
        self.files.answers.clear()
        self.files.asked.clear()
        self.process_events()

    def close(self):
        """As when Slicer quits; may be called twice."""
        import slicer

        if self._closed:
            return
        self._closed = True
        for name in list(slicer.app.moduleManager().modulesNames()):
            if hasattr(slicer.app.moduleManager().module(name), "unload"):
                self.unload_module(name)
        slicer.app.aboutToQuit.emit()
        self.window.close()
        slicer.app.layoutManager().finalize()
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(slicer.app.temporaryPath, ignore_errors=True)


def _keep_none_alive():
    """Store references to None, which PySide6 6.12 gives back more often than it takes them.

    Python 3.12 made None immortal. Before, a few ten thousand calls end the process.
    """
    if sys.version_info < (3, 12):
        ctypes.c_ssize_t.from_address(id(None)).value += 2**40


def _qt_says(kind, context, message: str):
    if "propagateSizeHints" not in message:  # the off-screen platform says so of every window
        print(f"Qt: {message}", file=sys.stderr)
