"""PythonQt's spelling for PySide6: properties are attributes (`label.text = "…"`).

PySide6 can spell that way ("true_property"), module by module. Modules of the product, their
tests and `slicer.util` are switched; the host itself keeps PySide6's own spelling.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.abc import MetaPathFinder
from pathlib import Path

from PySide6 import QtCore, QtWidgets
from shibokensupport import feature

PYSIDE, TRUE_PROPERTY = 0x00, 0x02
# PySide6 keeps these there: signals, and slots that Qt has called.
SIGNALS = (QtCore.SignalInstance, QtCore.Signal, QtCore.MetaFunction)
SCIENCE = ("MotionQALib", "MotionQATrainerLib")  # plain Python: never sees Qt

# Where PythonQt over Qt 5.15 differs from PySide6 with true_property.
DIFFERENCES = """
from PySide6.QtCore import QMargins, QObject
from PySide6.QtWidgets import QComboBox, QLayout

# PythonQt gives every QObject these.
QObject.name = property(lambda o: o.objectName, lambda o, name: setattr(o, "objectName", name))
QObject.className = lambda self: self.metaObject().className()
# A property that PySide6 leaves a method.
QComboBox.currentData = property(lambda self: self.itemData(self.currentIndex))
# No property before Qt 6, so its methods stay methods.
QLayout.contentsMargins = lambda self: self.property("contentsMargins")
QLayout.setContentsMargins = lambda self, *m: self.setProperty("contentsMargins", QMargins(*m))
"""


# A module not declared here does not switch. PySide6 would read every module's source to find out
# whether it may: slow, and torch's modules that are no files make it fail.
feature._mod_uses_pyside = lambda module: False


def pythonqt(module_name: str) -> None:
    """Switch PythonQt's spelling on for the module of this name: call it before Qt is used there.

    A test says `pythonqt(__name__)` below its imports.
    """
    feature.set_selection(TRUE_PROPERTY, module_name)


class Switch(MetaPathFinder):
    """Declares modules as they are first imported; finds none itself."""

    def __init__(self):
        self.prefixes = {"MotionQA"}

    def find_spec(self, fullname, path=None, target=None):
        top = fullname.partition(".")[0]
        if top == __package__:
            feature.set_selection(PYSIDE, fullname)
        elif top.startswith(tuple(self.prefixes)) and top not in SCIENCE:
            pythonqt(fullname)
        return None


SWITCH = Switch()
sys.meta_path.insert(0, SWITCH)
for _name in (__package__, __name__, f"{__package__}.host"):
    feature.set_selection(PYSIDE, _name)
pythonqt("slicer.util")
_switched = {"__name__": f"{__name__}.differences"}
pythonqt(_switched["__name__"])
exec(DIFFERENCES, _switched)
# PySide6 keeps a class's attributes apart by spelling, and looks for its truth in either.
for _name, _spelling in (("truth_switched", TRUE_PROPERTY), ("truth", PYSIDE)):
    feature.set_selection(_spelling, f"{__package__}.{_name}")
    _source = Path(__file__).with_name("truth.py")
    _module = {"__name__": f"{__package__}.{_name}"}
    exec(compile(_source.read_text("utf-8"), _source, "exec"), _module)
    _module["install"]()


def stray_attributes(widgets: Iterable[QtWidgets.QWidget]) -> list[str]:
    """Attributes given to Qt objects that have none of that name: PythonQt would refuse them."""
    found = set()
    for widget in widgets:
        for thing in (widget, *widget.findChildren(QtCore.QObject)):
            if type(thing).__module__.startswith("PySide6."):
                name = thing.objectName()
                strays = (n for n, v in vars(thing).items() if not isinstance(v, SIGNALS))
                found |= {f"{type(thing).__name__} {name!r} .{n}" for n in strays}
    return sorted(found)
