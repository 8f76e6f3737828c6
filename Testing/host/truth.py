"""PythonQt's truth of Qt objects: what is empty, not valid or null is false.

PythonQt asks the first of `QUESTIONS` that a class has, PySide6 mostly none. So, in Slicer, a
layout without items is false, and one whose widgets are all hidden; an empty menu, a null icon, a
URL of nothing. Slicer's own `slicer.util.findChildren` passes over such objects.
"""

from __future__ import annotations

import inspect

from PySide6 import QtCore, QtGui, QtWidgets

QUESTIONS = {"isEmpty": False, "isValid": True, "isNull": False}
"""Methods, the first that a class has counts, and what they answer for a true object."""


def install() -> None:
    """Give Qt's classes that truth, in the spelling that is on for the caller's module."""
    for library in (QtCore, QtGui, QtWidgets):
        for name in dir(library):
            cls = getattr(library, name)
            if name.startswith("Q") and inspect.isclass(cls):
                question = next((q for q in QUESTIONS if q in vars(cls)), None)
                if question is not None:
                    cls.__bool__ = _truth(question)
    # Its views ask an empty model for nothing; a reader of `if model` means one that is there.
    QtCore.QAbstractItemModel.__bool__ = lambda model: model.rowCount() > 0


def _truth(question: str):
    return lambda thing: bool(getattr(thing, question)()) is QUESTIONS[question]
