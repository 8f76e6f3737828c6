"""The wheel carries both libraries, their resources and their commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """A wheel built from a copy of the sources, without the network."""
    try:
        if int(version("setuptools").split(".")[0]) < 77:
            pytest.skip("setuptools is older than 77")
    except PackageNotFoundError:
        pytest.skip("setuptools is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for name in ("MotionQA", "MotionQATrainer"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, sources], check=True, timeout=200)
    (path,) = folder.glob("motionqa-*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_every_source_and_resource_is_in_the_wheel(wheel):
    expected = set()
    for library in (ROOT / "MotionQA" / "MotionQALib", ROOT / "MotionQATrainer/MotionQATrainerLib"):
        for path in library.rglob("*.py"):
            expected.add(path.relative_to(library.parent).as_posix())
        resources = library.parent / "Resources"
        for path in resources.rglob("*"):
            if path.is_file():
                inside = path.relative_to(library.parent).as_posix()
                expected.add(f"{library.name}/{inside}")
    assert "MotionQALib/Resources/Checkpoints/LICENSE.md" in expected
    assert expected - set(wheel.namelist()) == set()


def test_the_wheel_brings_both_commands(wheel):
    (entry_points,) = (n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    lines = wheel.read(entry_points).decode().splitlines()
    assert {"motionqa = MotionQALib.cli:main", "motionqa-train = MotionQATrainerLib.cli:main"} <= {
        *lines
    }
