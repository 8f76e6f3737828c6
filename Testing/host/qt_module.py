"""`import qt`: PySide6's names in one flat module, as PythonQt has them."""

from __future__ import annotations

import types
from typing import ClassVar

from PySide6 import QtCore, QtGui, QtNetwork, QtPrintSupport, QtSvg, QtTest, QtUiTools, QtWidgets

from .ui_loader import UiLoader

LIBRARIES = (QtCore, QtGui, QtWidgets, QtNetwork, QtPrintSupport, QtSvg, QtTest, QtUiTools)


class FileDialog(QtWidgets.QFileDialog):
    """PythonQt returns the chosen path alone, PySide6 a pair with the filter.

    `answers` holds what tests have "chosen" in advance, first come, first served; `asked` what
    was asked: (function, arguments).
    """

    answers: ClassVar[list] = []
    asked: ClassVar[list[tuple[str, tuple]]] = []


def _answering(name: str):
    def ask(*args, **kwargs):
        FileDialog.asked.append((name, args))
        if FileDialog.answers:
            return FileDialog.answers.pop(0)
        if QtGui.QGuiApplication.platformName() == "offscreen":
            return [] if name == "getOpenFileNames" else ""  # nobody there: cancelled
        answer = getattr(QtWidgets.QFileDialog, name)(*args, **kwargs)
        return answer[0] if isinstance(answer, tuple) else answer

    return staticmethod(ask)


for _name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"):
    setattr(FileDialog, _name, _answering(_name))


def make_qt() -> types.ModuleType:
    qt = types.ModuleType("qt", __doc__)
    for library in LIBRARIES:
        vars(qt).update({n: getattr(library, n) for n in dir(library) if not n.startswith("_")})
    qt.QUiLoader = UiLoader
    qt.QFileDialog = FileDialog
    return qt
