"""What `make demo` runs, from the phantom to the report."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parent / "demo" / "demo.py"


def run_demo(folder: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, DEMO],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )


@pytest.mark.slow
def test_the_demo_grades_four_breaths_and_leaves_a_report(tmp_path, checkpoint_file):
    # Stands in for the starter where that is not installed.
    shutil.copy(checkpoint_file, tmp_path / "motionqa-starter.safetensors")
    result = run_demo(tmp_path, MOTIONQA_CHECKPOINTS=str(tmp_path))
    assert result.returncode == 0, result.stderr
    with (tmp_path / "demo" / "report.csv").open(newline="", encoding="utf-8") as file:
        volumes = [row["volume"] for row in csv.DictReader(file) if not row["slice"]]
    names = [f"sample-{n}" for n in ("1-hold", "2-half", "3-free", "4-intensive")]
    assert volumes == names
    assert all(result.stdout.count(name) == 2 for name in names)  # as simulated, as graded
    page = tmp_path / "demo" / "report.html"
    assert f"The report with pictures: {page}" in result.stdout
    assert "data:image/" in page.read_text("utf-8")
