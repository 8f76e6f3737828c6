"""`slicer.modules` and the module manager: what Slicer does with a scripted module's file."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from .files import ScriptedFileReader
from .mrml_widgets import qMRMLWidget
from .spelling import SWITCH


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The C++ side of a module's widget: it makes the Python side, and is its `parent`."""

    def __init__(self, module: ScriptedModule):
        super().__init__()
        self._module, self._self, self.isEntered = module, None, False
        QtWidgets.QVBoxLayout(self)
        self.setObjectName(f"{module.name}ModuleWidget")
        self.reload()

    def self(self):
        return self._self

    def module(self):
        return self._module

    def reload(self):
        self.setMRMLScene(slicer.mrmlScene)
        name = self._module.name
        self._self = getattr(sys.modules[name], f"{name}Widget")(self)
        setattr(slicer.modules, f"{name}Widget", self._self)
        self._self.setup()

    def enter(self):
        self.isEntered = True
        getattr(self._self, "enter", lambda: None)()

    def exit(self):
        self.isEntered = False
        getattr(self._self, "exit", lambda: None)()


class ScriptedModule:
    """qSlicerScriptedLoadableModule: what a module's class fills in as `parent`."""

    def __init__(self, name: str, path: Path):
        self.name, self.path = name, str(path)
        self.title, self.helpText, self.acknowledgementText = name, "", ""
        self.categories, self.dependencies, self.contributors = [], [], []
        self.associatedNodeTypes = []
        self.icon, self.hidden, self.widgetRepresentationCreationEnabled = (
            QtGui.QIcon(),
            False,
            True,
        )
        self._widget = None

    def widgetRepresentation(self):
        if self._widget is None:
            self._widget = qSlicerScriptedLoadableModuleWidget(self)
        return self._widget

    def createNewWidgetRepresentation(self):
        return qSlicerScriptedLoadableModuleWidget(self)

    def logic(self):
        return None

    def unload(self):
        if self._widget is not None:
            self._widget.deleteLater()
            self._widget = None


class LogicModule:
    """A C++ module of which only the logic is here."""

    def __init__(self, name: str, logic):
        self.name, self.path, self._logic = name, "", logic
        self.browserShown = None

    def logic(self):
        return self._logic

    def showSequenceBrowser(self, browser) -> bool:
        """Of the Sequences module: its toolbar, which the host has not, plays this browser."""
        self.browserShown = browser
        return True


class ModuleManager(QtCore.QObject):
    """Slicer's module manager, with what slicer.util asks of it."""

    moduleAboutToBeUnloaded = QtCore.Signal(str)
    moduleLoaded = QtCore.Signal(str)

    def __init__(self):
        super().__init__()
        self._modules: dict = {}

    def add(self, module):
        self._modules[module.name] = module
        setattr(slicer.modules, module.name.lower(), module)
        self.moduleLoaded.emit(module.name)

    def module(self, name: str):
        return self._modules.get(name)

    def modulesNames(self):
        return tuple(self._modules)

    loadedModuleNames = modulesNames

    def factoryManager(self):
        return self

    def isLoaded(self, name: str) -> bool:
        return name in self._modules

    def connect(self, signature: str, slot):
        getattr(self, signature.partition("(")[0]).connect(slot)

    def disconnect(self, signature: str, slot):
        getattr(self, signature.partition("(")[0]).disconnect(slot)

    def load(self, path: Path) -> ScriptedModule:
        """Import a module's file and let its class describe it, as Slicer does at start-up."""
        path = Path(path).resolve()
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        SWITCH.prefixes.add(path.stem)
        python = importlib.import_module(path.stem)
        module = ScriptedModule(path.stem, path)
        self.add(module)
        reader = getattr(python, f"{path.stem}FileReader", None)
        if reader is not None:
            slicer.app.coreIOManager().registerIO(ScriptedFileReader(reader))
        instance = getattr(python, path.stem)(module)
        setattr(slicer.modules, f"{path.stem}Instance", instance)
        return module

    def unload(self, name: str):
        """As when Slicer quits: the widget cleans up and goes."""
        self.moduleAboutToBeUnloaded.emit(name)
        self._modules.pop(name).unload()
        for attribute in (name.lower(), f"{name}Widget", f"{name}Instance"):
            if hasattr(slicer.modules, attribute):
                delattr(slicer.modules, attribute)


def make_modules() -> types.ModuleType:
    return types.ModuleType("slicer.modules", "Loaded modules by lower-case name.")
