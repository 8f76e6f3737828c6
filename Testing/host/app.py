"""`slicer.app`, and the main window with its module panel."""

from __future__ import annotations

import tempfile

import slicer
from PySide6 import QtCore, QtWidgets

from .dicom_database import ctkDICOMDatabase
from .files import CoreIOManager
from .modules import ModuleManager
from .views import LayoutManager


class ModuleSelector(QtWidgets.QComboBox):
    """The list of modules in the toolbar: choosing one leaves the last and enters it."""

    moduleSelected = QtCore.Signal(str)

    def __init__(self, window: MainWindow):
        super().__init__()
        self._window, self.selectedModule = window, ""
        self.activated.connect(lambda *_: self.selectModule(self.currentData()))

    def add(self, name: str):
        module = slicer.app.moduleManager().module(name)
        if not hasattr(module, "widgetRepresentation"):
            return
        if self.findData(name) < 0:
            self.addItem(module.title or name, name)

    def selectModule(self, name: str):
        if name == self.selectedModule:
            return
        self._leave()
        self.selectedModule = name
        self.setCurrentIndex(self.findData(name))
        if name:
            widget = slicer.util.getModule(name).widgetRepresentation()
            self._window.show_panel(widget)
            widget.enter()
        self.moduleSelected.emit(name)

    def _leave(self):
        module = slicer.app.moduleManager().module(self.selectedModule)
        if module:
            module.widgetRepresentation().exit()


class MainWindow(QtWidgets.QMainWindow):
    def __init__(self, layout_manager: LayoutManager):
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("MotionQA test host (stands in for 3D Slicer)")
        self._selector = ModuleSelector(self)
        self._panel = QtWidgets.QScrollArea(widgetResizable=True)
        self._panel.setMinimumWidth(440)
        self._panel.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._panel.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(side)
        row = QtWidgets.QHBoxLayout()
        row.addWidget(QtWidgets.QLabel("Modules:"))
        row.addWidget(self._selector, 1)
        column.addLayout(row)
        column.addWidget(self._panel, 1)
        splitter = QtWidgets.QSplitter()
        splitter.addWidget(side)
        splitter.addWidget(layout_manager.viewport())
        splitter.setStretchFactor(1, 1)
        self.setCentralWidget(splitter)
        self.statusBar()
        self.resize(1280, 800)
        splitter.setSizes([420, 860])

    def moduleSelector(self):
        return self._selector

    def show_panel(self, widget):
        self._panel.takeWidget()
        self._panel.setWidget(widget)
        widget.show()


class App(QtCore.QObject):
    """qSlicerApplication: its own names here, the rest is QApplication's."""

    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()
    applicationName, applicationVersion, mainApplicationName = "Slicer", "5.12.0", "Slicer"
    majorVersion, minorVersion, revision = 5, 12, "0"
    os, platform, arch = "linux", "linux-amd64", "amd64"
    slicerHome = slicerSharePath = extensionsInstallPath = ""

    def __init__(self, qapplication: QtWidgets.QApplication, core):
        super().__init__()
        self._qapplication, self._core = qapplication, core
        self.temporaryPath = tempfile.mkdtemp(prefix="motionqa-host-")
        self.cachePath = self.temporaryPath
        self._settings = QtCore.QSettings()
        self._modules = ModuleManager()
        self._layout = LayoutManager(core.scene, core.app_logic)
        self._files = CoreIOManager(core.scene, core.app_logic, core.volumes_logic)
        self._database = ctkDICOMDatabase()
        qapplication.aboutToQuit.connect(self.aboutToQuit)

    def __getattr__(self, name: str):
        return getattr(self._qapplication, name)

    def connect(self, signature: str, slot):
        getattr(self, signature.partition("(")[0]).connect(slot)

    def disconnect(self, signature: str, slot):
        getattr(self, signature.partition("(")[0]).disconnect(slot)

    def complete_startup(self):
        """Tell modules that wait for it; each hears it once, though modules load one by one."""
        self.startupCompleted.emit()
        if self.receivers(QtCore.SIGNAL("startupCompleted()")):
            self.startupCompleted.disconnect()

    def layoutManager(self):
        return self._layout

    def moduleManager(self):
        return self._modules

    def applicationLogic(self):
        return self._core.app_logic

    def mrmlScene(self):
        return self._core.scene

    def coreIOManager(self):
        return self._files

    ioManager = coreIOManager

    def dicomDatabase(self):
        return self._database

    def settings(self):
        return self._settings

    userSettings = revisionUserSettings = settings

    def moduleLogic(self, name: str):
        return self._core.app_logic.GetModuleLogic(name)

    def processEvents(self, *arguments):
        self._qapplication.processEvents(*arguments)

    def testingEnabled(self) -> bool:
        return False  # so that message boxes reach the recorder, as they reach a user

    def setRenderPaused(self, pause: bool):
        """Views here render when the event loop comes round."""

    def pauseRender(self):
        self.setRenderPaused(True)

    def resumeRender(self):
        self.setRenderPaused(False)

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"https://slicer.readthedocs.io/en/latest/user_guide/modules/{name.lower()}.html"
