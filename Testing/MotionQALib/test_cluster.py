"""Grading by several processes of Ray, also when one of them is killed."""

import csv
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.assessment import Assessor
from MotionQALib.cluster import ClusterError, assess_on_cluster

FILES = 10
GRADES = ("mild", "moderate", "severe")
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="NOT TESTED HERE: grading by several workers. Ray is not installed; its wheels may not "
    "serve this Python (make test said so when it set up)",
)
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are found in Linux's /proc"
)


def test_missing_ray_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'motionqa\[cluster\]'"):
        list(assess_on_cluster(["a.nii"], "starter", workers=2))


@pytest.fixture(scope="module")
def study(phantom_file, tmp_path_factory):
    """Volumes that differ, and a damaged one among them."""
    import nibabel

    folder = tmp_path_factory.mktemp("study")
    first = nibabel.load(phantom_file)
    rng = np.random.default_rng(5)
    for number in range(FILES):
        voxels = np.asarray(first.dataobj, dtype=np.float32)
        noise = rng.normal(0, number * voxels.std() / 5, voxels.shape)
        image = nibabel.Nifti1Image((voxels + noise).astype(np.float32), first.affine)
        nibabel.save(image, folder / f"volume{number}.nii.gz")
    (folder / "volume3.nii.gz").write_bytes(b"damaged")
    return folder


def graded(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def running_under(ancestor: int) -> dict[int, str]:
    """Command lines of a process's descendants."""
    parents, lines = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
                lines[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
            except (OSError, UnicodeDecodeError):
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])

    def is_under(pid: int) -> bool:
        while pid in parents and pid != ancestor:
            pid = parents[pid]
        return pid == ancestor

    return {pid: line for pid, line in lines.items() if pid != ancestor and is_under(pid)}


def kill_a_grader(ancestor: int) -> bool:
    graders = [
        pid
        for pid, line in running_under(ancestor).items()
        if line.startswith("ray::") and "Grader" in line
    ]
    if graders:
        os.kill(graders[0], signal.SIGKILL)
    return bool(graders)


@needs_ray
@needs_proc
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_killed_midway_changes_nothing(study, checkpoint_file, tmp_path, monkeypatch):
    """The same grades as of one process, each volume once, though a worker died on the way."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    csv_file, page = tmp_path / "two.csv", tmp_path / "two.html"
    line = [sys.executable, "-m", "MotionQALib.cli", "assess", str(study), "--workers", "2"]
    line += ["--device", "cpu", "--precision", "fp32", "--checkpoint", str(checkpoint_file)]
    said, killed = [], False
    errors = tmp_path / "errors.txt"  # a pipe that nobody reads meanwhile would fill up
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [*line, "--csv", str(csv_file), "--html", str(page)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as run,
    ):
        for text in run.stdout:
            said.append(text)
            if text.startswith("volume") and text.split()[1].rstrip("?") in GRADES:
                killed = killed or kill_a_grader(run.pid)
    complaints = errors.read_text(errors="replace")
    assert killed, complaints
    assert "volume3.nii.gz is not a NIfTI file" in complaints
    assert run.returncode == 1  # for the damaged one

    alone = Assessor(checkpoint_file, device="cpu", precision="fp32")
    rows = graded(csv_file)
    wholes = [row["volume"] for row in rows if not row["slice"]]
    assert wholes == [f"volume{number}" for number in range(FILES) if number != 3]
    for name in wholes:
        expected = alone.assess(volumes.read(study / f"{name}.nii.gz"))
        slices = [row for row in rows if row["volume"] == name and row["slice"]]
        assert [int(row["slice"]) for row in slices] == list(range(expected.n_slices))
        found = np.array([[float(row[f"p{score}"]) for score in range(1, 6)] for row in slices])
        np.testing.assert_allclose(found, expected.probabilities[0], atol=1e-4)
    assert sum(text.split()[:1] == ["volume5"] for text in said) == 1
    assert page.read_text(encoding="utf-8").count("data:image/") >= len(rows) - len(wholes)
