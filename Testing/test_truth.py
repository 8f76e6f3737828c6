"""No truth of a Qt, MRML or VTK object is asked: in PythonQt an empty one is false.

A layout without items, a menu without entries, a null icon: `if layout`, `x or y` and
`filter(None, …)` do there what nobody meant. What an object is can be told from a file's text only
by what things are called and where they come from; so names of such things are kept for them, and
`is None` says what is asked.
"""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    [
        *(ROOT / name / f"{name}.py" for name in ("MotionQA", "MotionQATrainer")),
        *(ROOT / "MotionQA" / "MotionQAWidgets").rglob("*.py"),
        *(ROOT / "MotionQATrainer" / "MotionQATrainerWidgets").rglob("*.py"),
        *(ROOT / "Testing" / "demo").rglob("*.py"),
    ]
)
LAZY = ("filter", "filterfalse", "map")
WORDS = """
action actor annotation array background badge bar box brush browser button child collection
colour combo cursor dialog edit font foreground frame group header hierarchy icon image item
label layer layers layout list logic manager map mapper matrix menu model node palette parent pen
picture pixmap point process proxy rect renderer scene selector sequence series shortcut size
slider storage style tab table timer transform tree url view volume widget window
"""
OBJECTS = frozenset(WORDS.split())
"""Last words of names that hold objects."""

YES_OR_NO = re.compile(r"_?(is|has|in|needs|wants|can|may)[A-Z_]")
"""Names of what is true or false."""

QUALIFIED = re.compile(r"(qt\.Q|ctk\.ctk|vtk\.vtk|slicer\.(vtk|qMRML|qSlicer))\w+$")
CALLED = re.compile(
    r"(Add|Create|Find|Get|New|Make)(?!\w*(?<!By)(ID|Name|Names|Type|Count|Value|Number)$)\w*"
    r"(Node|Widget|View|Renderer|Window|Table|Data|Scene|Layer|Actor|Property|Matrix|Transform"
    r"|Volume|Array|Scalars|Logic|Sequence|Browser|Collection|Item)(By\w+)?$"
    r"|(current|selected|first|next|parent|child|top)(Node|Widget|Item|Layout|Window)$"
    r"|(getNode|getModule|getModuleLogic|getModuleWidget|getFirstNode\w+|loadVolume|loadSequence"
    r"|loadUI|mainWindow|layout|model|parent|mrmlScene|sliceWidget|sliceView|sliceLogic|item"
    r"|viewport|renderWindow|interactor|logic|widgetRepresentation|menu|window|findChild)$"
)
"""Methods and functions that give an object or nothing."""


class Truths(ast.NodeVisitor):
    """Finds the expressions of a file whose truth is asked."""

    def __init__(self) -> None:
        self.asked: list[ast.expr] = []
        self.of_all: list[ast.expr] = []

    def visit_If(self, node) -> None:
        self._ask(node.test)
        self.generic_visit(node)

    visit_IfExp = visit_While = visit_Assert = visit_If  # noqa: N815, ast's names

    def visit_comprehension(self, node) -> None:
        for condition in node.ifs:
            self._ask(condition)
        self.generic_visit(node)

    def visit_match_case(self, node) -> None:
        if node.guard is not None:
            self._ask(node.guard)
        self.generic_visit(node)

    def visit_BoolOp(self, node) -> None:
        for value in node.values[:-1]:
            self._ask(value)
        self.generic_visit(node)

    def visit_UnaryOp(self, node) -> None:
        if isinstance(node.op, ast.Not):
            self._ask(node.operand)
        self.generic_visit(node)

    def visit_Call(self, node) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "bool" and node.args:
            self._ask(node.args[0])
        elif name in ("any", "all") and node.args:
            self._ask_each(node.args[0])
        elif name in LAZY and ast.unparse(node.args[0]) in ("None", "bool"):
            self.of_all.append(node)
        self.generic_visit(node)

    def _ask_each(self, argument: ast.expr) -> None:
        if isinstance(argument, ast.GeneratorExp | ast.ListComp | ast.SetComp):
            self._ask(argument.elt)
        elif isinstance(argument, ast.List | ast.Tuple | ast.Set):
            for element in argument.elts:
                self._ask(element)
        elif not isinstance(argument, ast.Call):  # of whatever is in it
            self.of_all.append(argument)

    def _ask(self, expression: ast.expr) -> None:
        if isinstance(expression, ast.BoolOp):
            self._ask(expression.values[-1])  # the others are asked where it is visited
        elif isinstance(expression, ast.NamedExpr):
            self._ask(expression.value)
            self._ask(expression.target)
        elif isinstance(expression, ast.IfExp):
            self._ask(expression.body)
            self._ask(expression.orelse)
        else:
            self.asked.append(expression)


class Names(ast.NodeVisitor):
    """Learns which names of a file hold objects, and which functions give them."""

    def __init__(self, givers: set[str]) -> None:
        self.holders: set[str] = set()
        self.givers = givers

    def visit_Assign(self, node) -> None:
        for target in node.targets:
            self._bind(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node) -> None:
        if QUALIFIED.search(ast.unparse(node.annotation)) and node.target is not None:
            self.holders.add(ast.unparse(node.target))
        self.generic_visit(node)

    def visit_NamedExpr(self, node) -> None:
        self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_arg(self, node) -> None:
        if node.annotation is not None and QUALIFIED.search(ast.unparse(node.annotation)):
            self.holders.add(node.arg)

    def visit_For(self, node) -> None:
        if gives_many(node.iter):
            self.holders.add(ast.unparse(node.target))
        self.generic_visit(node)

    visit_comprehension = visit_For

    def visit_FunctionDef(self, node) -> None:
        values = [r.value for r in ast.walk(node) if isinstance(r, ast.Return) and r.value]
        plain = node.returns is not None and not QUALIFIED.search(ast.unparse(node.returns))
        if not plain and any(self.is_object(value) for value in values):
            self.givers.add(node.name)
        self.generic_visit(node)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for name, given in pairs:
            if self.is_object(given):
                self.holders.add(ast.unparse(name))

    def is_object(self, expression: ast.expr) -> bool:
        """Whether it may be an object of Qt, MRML or VTK."""
        text = ast.unparse(expression)
        if isinstance(expression, ast.IfExp):
            return self.is_object(expression.body) or self.is_object(expression.orelse)
        if isinstance(expression, ast.BoolOp):
            return any(self.is_object(value) for value in expression.values)
        if isinstance(expression, ast.Call):
            called = ast.unparse(expression.func)
            name = called.rpartition(".")[2]
            return bool(QUALIFIED.match(called) or CALLED.fullmatch(name)) or name in self.givers
        if isinstance(expression, ast.Subscript):
            return gives_many(expression.value)
        if not isinstance(expression, ast.Name | ast.Attribute):
            return False
        if text in self.holders or re.fullmatch(r"(\w+\.)*_?ui\.\w+", text):
            return True
        return last_word(text) in OBJECTS and not YES_OR_NO.match(text.rpartition(".")[2])


def gives_many(expression: ast.expr) -> bool:
    """Whether it is a list of objects."""
    text = ast.unparse(expression)
    return bool(re.search(r"(getNodes|findChildren|children|GetNodesByClass)\w*\(", text)) or (
        re.fullmatch(r"[\w.]+", text) is not None
        and last_word(text).removesuffix("s") in OBJECTS - {"list"}
        and last_word(text).endswith("s")
    )


def last_word(name: str) -> str:
    """Of `self._lastTableNode` or `last_table_node`, node."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name.rpartition(".")[2])
    return words[-1].lower() if words else ""


def givers(sources: Iterable[str]) -> set[str]:
    """Our functions that give an object or nothing."""
    found: set[str] = set()
    trees = [ast.parse(source) for source in sources]
    for _ in range(3):  # those that give what another gives
        for tree in trees:
            names = Names(found)
            names.visit(tree)
            names.visit(tree)
    return found


def asked(source: str, functions: set[str] = frozenset()) -> Iterator[str]:
    """Where the truth of what may be an object is asked, as "line: expression"."""
    tree = ast.parse(source)
    names, truths = Names(set(functions)), Truths()
    names.visit(tree)
    names.visit(tree)  # names that take from names below
    truths.visit(tree)
    objects = [expression for expression in truths.asked if names.is_object(expression)]
    for expression in (*objects, *truths.of_all):
        yield f"{expression.lineno}: {ast.unparse(expression)}"


def layouts_by_name(source: str, names: set[str]) -> list[str]:
    """Where a layout is asked of a panel's widgets: it is not there while it is empty."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in names
    ]


OURS = givers(path.read_text("utf-8") for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_truth_of_an_object_is_asked(path):
    assert list(asked(path.read_text("utf-8"), OURS)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_layout_is_looked_up_by_its_name(path):
    ui_files = [*ROOT.glob("MotionQA*/Resources/UI/*.ui")]
    names = {layout.get("name") for file in ui_files for layout in ET.parse(file).iter("layout")}
    assert {"panelLayout", "resultsLayout"} <= names
    assert layouts_by_name(path.read_text("utf-8"), names) == []
    assert layouts_by_name("self.ui.resultsLayout.addWidget(widget)", names)


@pytest.mark.parametrize(
    "source",
    [
        "if widget: pass",
        "if not self._layout: pass",
        "if self.ui.resultsLayout: pass",
        "x = volumeNode or other",
        "x = self._resultsTable and other",
        "while item and other: pass",
        "assert slicer.util.getNode('heart')",
        "x = 1 if self.widget.layout() else 2",
        "x = [n for n in nodes if n]",
        "x = [each for each in slicer.util.getNodesByClass('vtkMRMLTableNode') if each]",
        "x = list(filter(None, found))",
        "x = any(nodes)",
        "x = all((first, layout))",
        "x = any(widget for widget in widgets)",
        "x = bool(scene.GetNodeByID(name))",
        "thing = slicer.mrmlScene.GetNthNode(3)\nif thing: pass",
        "thing = qt.QVBoxLayout()\nif not thing: pass",
        "if (thing := vtk.vtkMatrix4x4()): pass",
        "for thing in slicer.util.getNodesByClass(name):\n    if thing: pass",
        "def f(thing: slicer.vtkMRMLScalarVolumeNode):\n    return thing or None",
        "def found():\n    return self._browser\n\nif found(): pass",
        "self._thing = menu.addAction(text) if there else qt.QMenu()\nif self._thing: pass",
        "match x:\n    case 1 if node: pass",
        "if not (a is None or layout): pass",
        "lambda button: button or None",
    ],
)
def test_the_search_for_truth_finds_it(source):
    assert list(asked(source, givers([source])))


@pytest.mark.parametrize(
    "source",
    [
        "if widget is None: pass",
        "if widget is not None and widget.visible: pass",
        "x = [n for n in nodes if n is not None]",
        "if table.rowCount: pass",
        "if nodes: pass",
        "if node.GetID() or node.IsA('vtkMRMLTableNode'): pass",
        "if scene.GetNumberOfNodes(): pass",
        "if slicer.mrmlScene.IsNodePresent(node): pass",
        "x = any(node is other for node in nodes)",
        "x = other if node is None else node",
        "if isLayout and self.has_item and self._giving.needs_image: pass",
        "def f() -> bool:\n    return node is None\n\nif f(): pass",
    ],
)
def test_other_truths_are_let_be(source):
    assert not list(asked(source, givers([source])))
