"""Only what PythonQt over Qt 5.15, which Slicer has, understands: see Testing/host/README.md.

Without types, a file tells only so much: what is a property of one class may be a method of another
that we use. Those are left to the host, which knows the classes.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for name in ("MotionQA", "MotionQATrainer")
    for path in (ROOT / name / f"{name}.py", *(ROOT / name / f"{name}Widgets").rglob("*.py"))
)
GETTERS = {
    "isChecked",
    "isEnabled",
    "isVisible",
    "currentText",
    "currentIndex",
    "toPlainText",
    "rowCount",
}
SETTERS = {
    "setText",
    "setEnabled",
    "setVisible",
    "setChecked",
    "setCheckable",
    "setCollapsed",
    "setToolTip",
    "setCurrentIndex",
    "setMaximum",
    "setMinimum",
    "setValue",
    "setRowCount",
    "setColumnCount",
    "setFormat",
    "setObjectName",
}
ITEMS = re.compile(r"item|cell|actor|colou?r|style|settings|clipboard|\btext\b", re.I)
"""Owners that are no QObject, so that they keep their methods."""

QT6 = {
    "PySide6",
    "PySide2",
    "PyQt5",
    "PyQt6",
    "QtCore",
    "QtGui",
    "QtWidgets",
    "pyqtSignal",
    "checkStateChanged",
    "globalPosition",
    "exec_",
    "QEnterEvent",
    "QKeyCombination",
}
IN_PYTHON = {"installTorch", "registerCustomSampleDataSource"}
"""Camel-cased functions of Slicer that are Python's, which takes keywords; PythonQt takes none."""

QT6_METHODS = {"position", "exec", "keyCombination"}
QT6_PROPERTIES = {"contentsMargins"}
"""No properties before Qt 6: only their methods are in Slicer."""

PROPERTIES = """
import inspect, json, sys
try:
    from PySide6 import QtCore, QtGui, QtWidgets
except ImportError:
    print("[]")
    sys.exit()
names = [(library, name) for library in (QtCore, QtGui, QtWidgets) for name in dir(library)]
classes = [getattr(library, name) for library, name in names if name.startswith("Q")]
classes = [c for c in classes if inspect.isclass(c)]
of_class = {}
for c in classes:
    properties = set()
    if issubclass(c, QtCore.QObject):
        meta = c.staticMetaObject
        properties = {meta.property(i).name() for i in range(meta.propertyCount())}
    of_class[c] = properties

def property_of(method):
    for prefix in ("set", "is", "has", ""):
        rest = method[len(prefix):]
        if method.startswith(prefix) and rest and (not prefix or rest[0].isupper()):
            return rest[0].lower() + rest[1:]

always = {}
for c, properties in of_class.items():
    for method in dir(c):
        if method[:1].islower():
            always[method] = always.get(method, True) and property_of(method) in properties
print(json.dumps(sorted(method for method, so in always.items() if so)))
"""


@cache
def properties() -> frozenset[str]:
    """Methods that read or write a property in every Qt class that has them; without Qt, none.

    Qt is asked in a process of its own: this one may hold torch.
    """
    asked = subprocess.run(
        [sys.executable, "-c", PROPERTIES], capture_output=True, text=True, timeout=300
    )
    assert asked.returncode == 0, asked.stderr
    capital = {name[0].upper() + name[1:] for name in QT6_PROPERTIES}
    methods = set(json.loads(asked.stdout))
    return frozenset(methods - QT6_PROPERTIES - {f"set{name}" for name in capital})


def ours() -> set[str]:
    """Methods that we define ourselves."""
    trees = [ast.parse(path.read_text("utf-8")) for path in FILES]
    return {
        node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }


def misspelt(source: str, methods: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """What Slicer's PythonQt would refuse; ``methods`` are those of properties."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            found += wrong_call(node, methods)
        if isinstance(node, ast.Attribute | ast.Name | ast.alias):
            found += wrong_name(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {getattr(node, "module", None) or "", *(alias.name for alias in node.names)}
            found += [name for name in names if name.partition(".")[0] in QT6]
    return found


def wrong_call(call: ast.Call, methods: frozenset[str] | set[str]) -> list[str]:
    called = ast.unparse(call.func)
    owner, _, name = called.rpartition(".")
    item = ITEMS.search(owner.rpartition(".")[2])
    wrong = {
        "a property's getter": owner and name in GETTERS and not call.args,
        "a property's setter": owner and name in SETTERS and not item,
        "a property's method": owner and name in methods and not owner.startswith("qt."),
        "keywords": call.keywords and takes_no_keywords(called),
        "a signature": name in ("connect", "disconnect")
        and any(isinstance(a, ast.Constant) and "(" in str(a.value) for a in call.args)
        and owner != "slicer.app",
        "Qt 6": owner and name in QT6_METHODS and not call.args,
    }
    return [f"{called}: {what}" for what, so in wrong.items() if so]


def takes_no_keywords(called: str) -> bool:
    """Whether it is a class or a method of Qt's, as far as its name tells."""
    owner, _, name = called.rpartition(".")
    if re.match(r"qt\.Q|ctk\.ctk", called):
        return True
    if not owner or owner == "slicer.util" or name in IN_PYTHON:
        return False
    return name in ("connect", "disconnect") or bool(re.match(r"[a-z]+[A-Z]", name))


def wrong_name(node: ast.Attribute | ast.Name | ast.alias) -> list[str]:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    text = ast.unparse(node)
    found = [text] if name in QT6 else []
    if re.fullmatch(r"qt\.Q\w+\.[A-Z]\w+\.[A-Z]\w+", text):
        found.append(f"{text}: the enumeration's name between")
    if name in QT6_PROPERTIES and isinstance(node.ctx, ast.Store):
        found.append(f"{text} = …: a property only in Qt 6")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_spelling_of_pythonqt_is_used(path):
    assert misspelt(path.read_text("utf-8")) == []


def test_no_property_is_spelt_as_a_method():
    methods = properties()
    if not methods:
        pytest.skip("PySide6, which knows Qt's properties, is not here or lacks its libraries")
    assert {"setWordWrap", "setPlaceholderText", "setSingleShot", "windowTitle"} <= methods
    assert not {"setText", "text", "setContentsMargins", "red", "layout"} & methods
    methods = methods - ours()
    found = {path.name: misspelt(path.read_text("utf-8"), methods) for path in FILES}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "label.setText('5')",
        "self.button.isEnabled()",
        "combo.currentText()",
        "qt.QPushButton('Run', enabled=False)",
        "ctk.ctkSliderWidget(value=3)",
        "column.addWidget(table, stretch=1)",
        "process.waitForFinished(msecs=30)",
        "button.clicked.connect(f, type=kind)",
        "button.connect('clicked()', f)",
        "button.disconnect('clicked()', f)",
        "from PySide6 import QtCore",
        "import PyQt5.QtWidgets",
        "qt.QtCore.QTimer()",
        "box.checkStateChanged.connect(f)",
        "event.position()",
        "event.globalPosition",
        "dialog.exec()",
        "dialog.exec_()",
        "qt.QSizePolicy.Policy.Expanding",
        "qt.Qt.AlignmentFlag.AlignCenter",
        "layout.contentsMargins = 3",
    ],
)
def test_the_search_for_other_spellings_finds_them(source):
    assert misspelt(source)


@pytest.mark.parametrize("source", ["timer.setSingleShot(True)", "edit.isReadOnly()"])
def test_the_search_for_properties_finds_them(source):
    assert misspelt(source, {"setSingleShot", "isReadOnly"}) and not misspelt(source)


@pytest.mark.parametrize(
    "source",
    [
        "item.setText('5')",
        "label.text = '5'",
        "button.clicked.connect(f)",
        "slicer.app.connect('startupCompleted()', f)",
        "layout.setContentsMargins(0, 0, 0, 0)",
        "qt.QStyle.State_Selected",
        "qt.QTimer.singleShot(0, f)",
        "menu.exec(point)",
        "slicer.util.loadVolume(path, properties={})",
        "worker.assess(frames, spacing, name=name)",
    ],
)
def test_pythonqts_own_spelling_is_let_be(source):
    assert not misspelt(source, {"setSingleShot", "singleShot", "setClicked"})
