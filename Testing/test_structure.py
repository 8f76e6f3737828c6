"""The walls of the house: who may import whom, and what no file may do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "MotionQA" / "MotionQALib"
TRAINER = ROOT / "MotionQATrainer" / "MotionQATrainerLib"
SCIENCE = sorted([*LIBRARY.rglob("*.py"), *TRAINER.rglob("*.py")])
SOURCES = sorted([*(ROOT / "MotionQA").rglob("*.py"), *(ROOT / "MotionQATrainer").rglob("*.py")])

SLICER = {"slicer", "qt", "ctk", "vtk", "MotionQAWidgets", "MotionQATrainerWidgets"}
SHARED = {
    # the science
    "assessment",
    "backbones",
    "checkpoints",
    "devices",
    "familiarity",
    "heart_centre",
    "heart_locator",
    "image_names",
    "preprocessing",
    "scale",
    "subjects",
    "tables",
    "volume_rule",
    "volumes",
    # statistics and drawing
    "bootstrap",
    "confusion_drawing",
    "report_style",
    # plumbing
    "error_text",
    "file_lock",
    "file_stamps",
    "plain_text",
    "safetensors_header",
    "spreadsheet_files",
    "whole_files",
}
ROOMS = ("runs", "data", "simulation", "evaluation", "training")
"""Of the trainer, the lowest first."""

LIGHT = (
    "MotionQALib.cli",
    "MotionQALib.volumes",
    "MotionQALib.reports",
    "MotionQALib.scale",
    "MotionQALib.reading.session",
    "MotionQALib.reading.agreement_report",
)
LONGEST = 400

TWICE = {"arguments.py", "cli.py"}
"""File names that each library has at its top, for its own command; else a name is one file's."""


def module_of(path: Path) -> str:
    """A file's dotted name, by which it is imported; a package's is its folder's."""
    inner = path.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(inner[:-1] if inner[-1] == "__init__" else inner)


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, relative ones resolved: ``MotionQALib.scale.Grade``."""
    package = path.relative_to(ROOT).parts[1:-1] if path.is_relative_to(ROOT) else ()
    return imported(ast.parse(path.read_text("utf-8")), package)


def imported(tree: ast.AST, package: tuple[str, ...]) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            start = [*above, *([node.module] if node.module else [])]
            found |= {".".join([*start, alias.name]) for alias in node.names}
    return found


def defined(path: Path) -> set[str]:
    """Names that a file binds at its top."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return found


def needed_when_run(tree: ast.Module) -> ast.Module:
    """Without what stands under ``if TYPE_CHECKING``, which is imported by nobody."""

    class Without(ast.NodeTransformer):
        def visit_If(self, node):
            return None if ast.unparse(node.test).endswith("TYPE_CHECKING") else node

    return Without().visit(tree)


def graph() -> dict[str, set[str]]:
    """Module -> modules of ours that it imports, wherever in the file it does."""
    names = {module_of(path): path for path in SOURCES}
    found = {}
    for name, path in names.items():
        tree = needed_when_run(ast.parse(path.read_text("utf-8")))
        wanted = imported(tree, path.relative_to(ROOT).parts[1:-1])
        # `from package import module` and `from module import thing` look alike.
        found[name] = {t for w in wanted for t in (w, w.rpartition(".")[0]) if t in names} - {name}
    return found


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Sets of modules that lead to each other, each sorted."""

    def reached(start: str) -> set[str]:
        seen, rest = set(), [start]
        while rest:
            more = arrows.get(rest.pop(), set()) - seen
            seen |= more
            rest += more
        return seen

    beyond = {name: reached(name) for name in arrows}
    rings = {frozenset(b for b in beyond[a] if a in beyond[b]) for a in arrows if a in beyond[a]}
    return sorted(map(sorted, rings))


def unsafe_loads(source: str) -> list[str]:
    """Calls and imports by which a file from elsewhere could run its code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {getattr(node, "module", None), *(alias.name for alias in node.names)}
            found += sorted(
                n for n in names & {"pickle", "cPickle", "dill", "joblib", "shelve"} if n
            )
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            true = {k.arg for k in node.keywords if ast.unparse(k.value) == "True"}
            if called == "torch.load" and "weights_only" not in true:
                found.append("torch.load without weights_only=True")
            if "allow_pickle" in true:
                found.append(f"{called} with allow_pickle=True")
    return found


def offenders(paths: list[Path], offence: Callable[[Path], object]) -> dict[str, object]:
    """What each file that commits the offence does, by the file's path."""
    assert paths
    found = {path.relative_to(ROOT).as_posix(): offence(path) for path in paths}
    return {name: what for name, what in found.items() if what}


def test_the_science_knows_nothing_of_slicer():
    found = offenders(SCIENCE, lambda p: {name.split(".")[0] for name in imports(p)} & SLICER)
    assert found == {}


def test_grading_does_not_know_the_trainer():
    library = sorted(LIBRARY.rglob("*.py"))
    found = offenders(library, lambda p: [n for n in imports(p) if n.startswith("MotionQATrainer")])
    assert found == {}


def test_the_widgets_know_only_what_is_below_them():
    above = {"MotionQA", "MotionQATrainer"}
    for module, more in (("MotionQA", {"MotionQATrainerLib", "MotionQATrainerWidgets"}),
                         ("MotionQATrainer", set())):  # fmt: skip
        forbidden = above | more | {"torch", "timm"}
        widgets = sorted((ROOT / module / f"{module}Widgets").rglob("*.py"))
        tops = {path: {name.split(".")[0] for name in imports(path)} for path in widgets}
        assert {path.name: found for path in widgets if (found := tops[path] & forbidden)} == {}


def test_no_import_leads_round_in_a_circle():
    assert circles(graph()) == []


def test_circles_are_found_and_relative_imports_with_them():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
    source = "from . import x\nfrom ..up.y import z\nfrom .w import v\nimport q"
    found = imported(ast.parse(source), ("top", "inner"))
    assert found == {"top.inner.x", "top.up.y.z", "top.inner.w.v", "q"}
    kept = needed_when_run(ast.parse("if TYPE_CHECKING:\n    from .a import b\nimport c"))
    assert imported(kept, ("top",)) == {"c"}


def several(pairs: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """Names that stand for more than one thing, and the files in which they do."""
    homes: dict[str, list[str]] = {}
    for name, path in pairs:
        homes.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    return {name: places for name, places in homes.items() if len(places) > 1}


def public_classes(source: str) -> list[str]:
    found = [n.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ClassDef)]
    return [name for name in found if not name.startswith("_")]


def test_a_file_name_names_one_file():
    tops = {library / name for library in (LIBRARY, TRAINER) for name in TWICE}
    files = [path for path in SOURCES if path.name != "__init__.py" and path not in tops]
    assert tops <= set(SOURCES) and several((path.name, path) for path in files) == {}
    assert not TWICE & {path.name for path in files}


def test_a_class_name_names_one_class():
    classes = [(name, p) for p in SOURCES for name in public_classes(p.read_text("utf-8"))]
    assert len(classes) > 100 and several(classes) == {}


def test_names_of_two_things_are_found():
    pairs = [
        ("lock.py", ROOT / "a/lock.py"),
        ("b.py", ROOT / "b.py"),
        ("lock.py", ROOT / "lock.py"),
    ]
    assert several(pairs) == {"lock.py": ["a/lock.py", "lock.py"]}
    assert public_classes("class A:\n    class B: ...\nclass _C: ...") == ["A", "B"]


def test_every_import_of_ours_leads_to_what_is_there():
    """Also those that are only made when a window is, or somebody presses a button."""
    names = {module_of(path): path for path in SOURCES}
    tops = {name.partition(".")[0] for name in names}
    there = {name: defined(path) for name, path in names.items()}

    def astray(path: Path) -> set[str]:
        wanted = {n for n in imports(path) if n.partition(".")[0] in tops and n not in names}
        return {
            n for n in wanted if n.rpartition(".")[2] not in there.get(n.rpartition(".")[0], "")
        }

    assert offenders(SOURCES, astray) == {}


def test_the_rooms_of_the_trainer_lead_one_way():
    """Each may import those below it; what stands at the top may import all of them."""
    rank = {room: height for height, room in enumerate(ROOMS)}
    arrows = graph()
    assert rank.keys() == {path.parent.name for path in TRAINER.glob("*/__init__.py")}
    upward = set()
    for name, targets in arrows.items():
        for target in targets:
            ends = [part.split(".") for part in (name, target)]
            if all(end[0] == "MotionQATrainerLib" and len(end) > 1 for end in ends):
                here, there = (rank.get(end[1], len(rank)) for end in ends)
                upward |= {(name, target)} if there > here else set()
    assert upward == set()


def test_contributing_names_the_modules_that_are_shared():
    """Its list is this one, so that there are not two."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (listed,) = re.findall(r"must share: ([^|]+)\|", text)
    assert set(re.findall(r"`(\w+)`", listed)) == SHARED


def test_the_trainer_shares_only_what_grading_and_training_must_share():
    def others(path: Path) -> set[str]:
        return {n.split(".")[1] for n in imports(path) if n.startswith("MotionQALib.")} - SHARED

    assert offenders(sorted(TRAINER.rglob("*.py")), others) == {}


def test_no_file_runs_code_from_data():
    assert offenders(SOURCES, lambda p: unsafe_loads(p.read_text("utf-8"))) == {}


def test_files_can_be_read_in_one_go():
    lines = offenders(SOURCES, lambda p: len(p.read_text("utf-8").splitlines()))
    assert {name: n for name, n in lines.items() if n > LONGEST} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_the_search_for_unsafe_loads_finds_them(source):
    assert unsafe_loads(source)


@pytest.mark.parametrize("module", LIGHT)
def test_the_light_modules_import_no_torch(module):
    check = f"import sys, {module}; sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    paths = [str(LIBRARY.parent), str(TRAINER.parent)]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {paths}; {check}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr or f"{module} imports torch"


def test_every_package_is_packaged():
    listed = set(re.findall(r'^    "([\w.]+)",$', (ROOT / "pyproject.toml").read_text(), re.M))
    for library in (LIBRARY, TRAINER):
        packages = {
            ".".join(init.parent.relative_to(library.parent).parts)
            for init in library.rglob("__init__.py")
        }
        assert packages <= listed
