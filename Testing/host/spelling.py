"""PythonQt's spelling for PySide6: properties are attributes (`label.text = "…"`).

PySide6 can spell that way ("true_property"), module by module. Modules of the product, their
tests and `slicer.util` are switched; the host itself keeps PySide6's own spelling.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.abc import MetaPathFinder

from PySide6 import QtCore, QtWidgets
from shibokensupport import feature

TRUE_PROPERTY = 0x02
SIGNALS = (QtCore.SignalInstance, QtCore.Signal)  # PySide6 keeps these there
SCIENCE = ("MotionQALib", "MotionQATrainerLib")  # plain Python: never sees Qt

# Where PythonQt over Qt 5.15 differs from PySide6 with true_property.
DIFFERENCES = """
from PySide6.QtCore import QMargins, QObject
from PySide6.QtWidgets import QComboBox, QLayout

# PythonQt gives every QObject these.
QObject.name = property(lambda self: self.objectName, lambda self, n: setattr(self, "objectName", n))
QObject.className = lambda self: self.metaObject().className()
# A property that PySide6 leaves a method.
QComboBox.currentData = property(lambda self: self.itemData(self.currentIndex))
# No property before Qt 6, so its methods stay methods.
QLayout.contentsMargins = lambda self: self.property("contentsMargins")
QLayout.setContentsMargins = lambda self, *m: self.setProperty("contentsMargins", QMargins(*m))
"""


def pythonqt(module_name: str) -> None:
    """Switch PythonQt's spelling on for the module of this name: call it before Qt is used there.

    A test says `host.pythonqt(__name__)` below its imports.
    """
    feature.set_selection(TRUE_PROPERTY, module_name)


class Switch(MetaPathFinder):
    """Switches modules as they are first imported; finds none itself."""

    def __init__(self):
        self.prefixes = {"MotionQA"}

    def find_spec(self, fullname, path=None, target=None):
        top = fullname.partition(".")[0]
        if top.startswith(tuple(self.prefixes)) and top not in SCIENCE:
            pythonqt(fullname)
        return None


SWITCH = Switch()


def install() -> None:
    """Spell PythonQt's way in `slicer.util` and in every module that SWITCH names."""
    sys.meta_path.insert(0, SWITCH)
    pythonqt("slicer.util")
    switched = {"__name__": f"{__name__}.differences"}
    pythonqt(switched["__name__"])
    exec(DIFFERENCES, switched)


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
