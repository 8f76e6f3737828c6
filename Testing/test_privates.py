"""No test reaches into what the code keeps to itself: it uses what a user, or a caller, sees.

A test of an inner part holds that part's shape fast and says nothing of what it is good for. Use
what is shown (panels' buttons and labels, files, sentences), or give the thing a public name where
others could want it too, such as a limit or a clock.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTING = Path(__file__).resolve().parent
NAMED_TUPLES = {"_asdict", "_field_defaults", "_fields", "_make", "_replace"}
"""Public by Python's own documentation: their underscore only keeps them apart from fields."""

ATTRIBUTE_OF = {"self", "cls"}
BY_NAME = {"getattr", "setattr", "delattr", "hasattr", "attrgetter", "methodcaller", "patch"}
BY_NAME |= {"object"}  # of mock.patch

UNAVOIDABLE = {
    # The stand-in has to take the place of something inner, for which there is no public switch.
    "host/spelling.py": {"_mod_uses_pyside"},  # shiboken would read each module's source
    "host/stand_ins.py": {"_messageDisplay"},  # slicer.util's one way to a message box
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in NAMED_TUPLES


def last_part(node: ast.AST) -> str:
    """Of a dotted name that stands in quotes: ``_limit`` of ``"package.module._limit"``."""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    name = text.rpartition(".")[2]
    return name if name.isidentifier() else ""


def is_own(node: ast.AST) -> bool:
    """Whether it is `self`, `cls` or `super()`, whose inner parts one may use."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ATTRIBUTE_OF


def is_namespace(node: ast.AST) -> bool:
    """Whether it is ``vars(x)`` or ``x.__dict__``."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "vars"
    return isinstance(node, ast.Attribute) and node.attr == "__dict__"


def reached(node: ast.AST) -> list[str]:
    """Private names of others that one piece of code uses."""
    if isinstance(node, ast.Attribute):
        names = [] if is_own(node.value) else [node.attr]
    elif isinstance(node, ast.Call):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
        function = function.id if isinstance(function, ast.Name) else function
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        names = [last_part(part) for part in given] if function in BY_NAME else []
        if names and node.args and is_own(node.args[0]):
            names = []
    elif isinstance(node, ast.Subscript) and is_namespace(node.value):
        names = [last_part(node.slice)]
    elif isinstance(node, ast.ImportFrom):
        names = [alias.name for alias in node.names] + (node.module or "").split(".")
    elif isinstance(node, ast.Import):
        names = [part for alias in node.names for part in alias.name.split(".")]
    else:
        names = []
    return [name for name in names if is_private(name)]


def defined(tree: ast.AST) -> set[str]:
    """Names that a file's classes and functions have, or give to themselves."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and is_own(node.value):
            found.add(node.attr)
    return found


def reaching(source: str, *, among_friends: bool = False) -> list[str]:
    """Where a file reaches into others, as ``line: name``.

    among_friends : its own classes may know each other's inner parts, as the stand-in's do
    """
    tree = ast.parse(source)
    friends = defined(tree) if among_friends else set()
    found = {(node.lineno, name) for node in ast.walk(tree) for name in reached(node)}
    return [f"{line}: {name}" for line, name in sorted(found) if name not in friends]


def test_no_test_reaches_into_what_is_private():
    files = sorted(TESTING.rglob("*.py"))
    assert len(files) > 100
    found = {}
    for path in files:
        name = path.relative_to(TESTING).as_posix()
        places = reaching(path.read_text("utf-8"), among_friends=name.startswith("host/"))
        allowed = UNAVOIDABLE.get(name, set())
        assert allowed <= {place.partition(": ")[2] for place in places}, "no exception is stale"
        places = [place for place in places if place.partition(": ")[2] not in allowed]
        if places:
            found[name] = places
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "panel.buttons._inner",
        "panel._inner.text",
        "panel.grading.worker._inner = None",
        "module._inner()",
        "self.panel._inner",
        "make()._inner",
        "tables[0].__inner",
        "getattr(panel, '_inner')",
        "setattr(panel, '_inner', 1)",
        "monkeypatch.setattr(module, '_inner', 1)",
        "monkeypatch.setattr('package.module._inner', 1)",
        "monkeypatch.setattr(module, name='_inner', value=1)",
        "monkeypatch.delattr(module, '_inner')",
        "mock.patch('package.module._inner')",
        "mock.patch.object(module, '_inner')",
        "operator.attrgetter('_inner')(panel)",
        "vars(panel)['_inner']",
        "panel.__dict__['_inner']",
        "from package.module import _inner",
        "from package._inner import name",
        "from ._inner import name",
        "import package._inner",
    ],
)
def test_each_way_to_reach_in_is_found(source):
    assert reaching(source) in (["1: _inner"], ["1: __inner"])


@pytest.mark.parametrize(
    "source",
    [
        "self._inner = cls._inner",
        "super()._inner()",
        "setattr(self, '_inner', 1)",
        "thing.__class__.__name__",
        "row._replace(score=3)._asdict()",
        "print('_inner', texts['_inner'])",
        "panel.inner_",
        "from __future__ import annotations",
    ],
)
def test_what_is_ones_own_or_public_is_not(source):
    assert reaching(source) == []


def test_the_stand_ins_classes_are_friends_and_no_others():
    source = "class A:\n    def __init__(self):\n        self._inner = 1\na._inner + a._other"
    assert reaching(source, among_friends=True) == ["4: _other"]
    assert reaching(source) == ["4: _inner", "4: _other"]
