"""The walls of the house: who may import whom, and what no file may do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "MotionQA" / "MotionQALib"
TRAINER = ROOT / "MotionQATrainer" / "MotionQATrainerLib"
SCIENCE = sorted([*LIBRARY.rglob("*.py"), *TRAINER.rglob("*.py")])
SOURCES = sorted([*(ROOT / "MotionQA").rglob("*.py"), *(ROOT / "MotionQATrainer").rglob("*.py")])

SLICER = {"slicer", "qt", "ctk", "vtk", "MotionQAWidgets", "MotionQATrainerWidgets"}
SHARED = {
    "scale",
    "volumes",
    "preprocessing",
    "backbones",
    "checkpoints",
    "devices",
    "volume_rule",
    "assessment",
    "report_style",
    "bootstrap",
    "subjects",
}
LIGHT = (
    "MotionQALib.cli",
    "MotionQALib.volumes",
    "MotionQALib.reports",
    "MotionQALib.scale",
    "MotionQALib.reading.session",
    "MotionQALib.reading.agreement_report",
)
LONGEST = 400


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports from anywhere but its own package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


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
