"""What CMake packages is what there is; loading the module is light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("MotionQA", "MotionQATrainer")
TOP = (ROOT / "CMakeLists.txt").read_text("utf-8")
QT_FILES = sorted(
    path
    for name in MODULES
    for path in (ROOT / name / f"{name}.py", *(ROOT / name / f"{name}Widgets").rglob("*.py"))
)
HEAVY = {"torch", "torchvision", "timm", "nibabel", "pydicom", "nrrd", "safetensors", "sklearn"}


@pytest.fixture(params=MODULES)
def module(request) -> str:
    return request.param


def lists_of(module: str) -> str:
    return (ROOT / module / "CMakeLists.txt").read_text("utf-8")


def listed(module: str, name: str) -> list[str]:
    """The entries of a `set(NAME …)`, with ${MODULE_NAME} written out."""
    body = re.search(rf"set\({name}\s(.*?)\)", lists_of(module), re.S)[1]
    return body.replace("${MODULE_NAME}", module).split()


def present(module: str, pattern: str) -> list[str]:
    paths = (path for path in (ROOT / module).rglob(pattern) if path.is_file())
    return sorted(path.relative_to(ROOT / module).as_posix() for path in paths)


def test_every_script_is_packaged(module):
    assert sorted(listed(module, "MODULE_PYTHON_SCRIPTS")) == present(module, "*.py")


def test_every_resource_is_packaged(module):
    resources = [path for path in present(module, "*") if path.startswith("Resources/")]
    assert sorted(listed(module, "MODULE_PYTHON_RESOURCES")) == resources


def test_the_lists_are_sorted_so_that_a_lack_is_seen(module):
    for name in ("MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"):
        first, *others = listed(module, name)
        assert others == sorted(others), name
        assert first


def test_the_modules_share_a_folder_once_installed_and_nothing_collides():
    first, second = (
        set(listed(module, "MODULE_PYTHON_SCRIPTS") + listed(module, "MODULE_PYTHON_RESOURCES"))
        for module in MODULES
    )
    assert not first & second


def test_the_extension_is_described(module):
    told = dict(re.findall(r'set\(EXTENSION_(\w+) "?([^")]+)', TOP))
    assert told["CATEGORY"] == "Cardiac" and told["DEPENDS"] == "PyTorch"
    assert all(told[name].startswith("https://") for name in ("HOMEPAGE", "ICONURL"))
    assert f"add_subdirectory({module})" in TOP
    for needed in ("slicerMacroBuildScriptedModule", "WITH_GENERIC_TESTS"):
        assert needed in lists_of(module)
    assert "slicer_add_python_unittest(SCRIPT ${MODULE_NAME}.py)" in lists_of(module)


IMPORTING = """
import importlib, sys, types
MODULE, *folders = sys.argv[1:]
sys.path[:0] = folders
class Anything(types.ModuleType):
    __path__ = []
    def __getattr__(self, name): return type(name, (), {"__init__": lambda self, *given: None})
def wrap(cls): return cls
for name in ("slicer", "slicer.i18n", "slicer.parameterNodeWrapper", "slicer.util",
             "slicer.ScriptedLoadableModule"):
    sys.modules[name] = Anything(name)
sys.modules["slicer.i18n"].tr = str
sys.modules["slicer.parameterNodeWrapper"].parameterNodeWrapper = wrap
before, times = set(sys.modules), []
import time
for _ in range(5):
    start = time.process_time()  # others may want the processor too
    importlib.import_module(MODULE)
    times.append(time.process_time() - start)
    for name in [n for n in sys.modules if n.startswith("MotionQA")]: del sys.modules[name]
print(1000 * max(times), *sorted({n.partition(".")[0] for n in set(sys.modules) - before}))
"""


def test_loading_the_module_costs_slicer_little(module):
    folders = [str(ROOT / name) for name in MODULES]
    command = [sys.executable, "-c", IMPORTING, module, *folders]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    milliseconds, *modules = result.stdout.split()
    assert float(milliseconds) < 50
    assert not set(modules) & (HEAVY | {"numpy", "vtk", "qt"}), modules


@pytest.mark.parametrize("path", QT_FILES, ids=lambda path: path.name)
def test_nothing_heavy_is_imported_at_file_scope(path):
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.partition(".")[0])
    assert not names & HEAVY
