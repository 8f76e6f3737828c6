"""`slicer.app`, and the main window with its module panel."""

from __future__ import annotations

import tempfile

import slicer
from PySide6 import QtCore, QtWidgets

from .ctk_widgets import ctkCollapsibleButton
from .dicom_database import ctkDICOMDatabase
from .files import CoreIOManager
from .modules import ModuleManager
from .views import LayoutManager

# Heights in pixels, measured in a Slicer 5.12 of 1150 x 600, its title bar of 30 included.
LOGO, HELP, RELOAD, PROBE, TOOLS, STATUS = 38, 27, 14, 178, 40, 36
PANEL = 478
"""Pixels that the module panel is wide."""


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


class DataProbe(QtWidgets.QWidget):
    """Takes the room below the panels that Slicer's Data Probe takes; says nothing."""

    def __init__(self):
        super().__init__()
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._section = ctkCollapsibleButton("Data Probe")
        column.addWidget(self._section)
        rows = QtWidgets.QVBoxLayout(self._section)
        for text in ("Show Zoomed Slice", "", "L", "F", "B"):
            rows.addWidget(QtWidgets.QLabel(text))
        self.setFixedHeight(PROBE)


class MainWindow(QtWidgets.QMainWindow):
    def __init__(self, layout_manager: LayoutManager):
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("MotionQA test host (stands in for 3D Slicer)")
        self._selector = ModuleSelector(self)
        self._panel = QtWidgets.QScrollArea(widgetResizable=True)
        self._panel.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._panel.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side = QtWidgets.QWidget()
        side.setMinimumWidth(440)
        column = QtWidgets.QVBoxLayout(side)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(2)
        logo = QtWidgets.QLabel("3D Slicer (stand-in)")
        logo.setFixedHeight(LOGO)
        column.addWidget(logo)
        column.addWidget(self._panel, 1)
        column.addWidget(DataProbe())
        splitter = QtWidgets.QSplitter()
        splitter.addWidget(side)
        splitter.addWidget(layout_manager.viewport())
        splitter.setStretchFactor(1, 1)
        self.setCentralWidget(splitter)
        self._add_bars()
        self.resize(1280, 800)
        splitter.setSizes([PANEL, 800])

    def _add_bars(self):
        """The menus and the toolbars take their share of the height, as in Slicer."""
        for name in ("File", "Edit", "View", "Help"):
            self.menuBar().addMenu(name)
        bar = self.addToolBar("Modules")
        bar.setMovable(False)
        bar.setFixedHeight(TOOLS)
        bar.addWidget(QtWidgets.QLabel("Modules:"))
        self._selector.setMinimumWidth(230)
        bar.addWidget(self._selector)
        self.statusBar().setFixedHeight(STATUS)

    def moduleSelector(self):
        return self._selector

    def show_panel(self, widget):
        """Below a closed help section, as in Slicer: both scroll."""
        self.drop_panel()
        panel = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        about = ctkCollapsibleButton("Help && Acknowledgement")
        about.setProperty("collapsed", True)
        about.setFixedHeight(HELP)
        column.addWidget(about)
        column.addSpacing(RELOAD)
        column.addWidget(widget, 1)
        self._panel.setWidget(panel)
        widget.show()

    def drop_panel(self):
        """Take the module's widget out, which lives on."""
        panel = self._panel.takeWidget()
        if panel is not None:
            panel.layout().takeAt(2).widget().setParent(None)
            panel.deleteLater()

    def panel_part_seen(self, widget) -> float:
        """Share of a panel's widget that can be seen without scrolling, 0 to 1."""
        view = self._panel.viewport()
        corner = widget.mapTo(self._panel.widget(), QtCore.QPoint(0, 0))
        place = QtCore.QRect(self._panel.widget().pos() + corner, widget.size())
        seen = place.intersected(view.rect())
        if not widget.isVisible() or not widget.width() * widget.height():
            return 0.0
        return seen.width() * seen.height() / (widget.width() * widget.height())


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
