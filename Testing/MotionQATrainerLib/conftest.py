"""A small rated data set that a network learns in seconds: the noisier, the lower the score."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

N_SUBJECTS, N_SLICES = 8, 3


@dataclass(frozen=True)
class RatedSet:
    """CMRxMotion's layout: P001-1/P001-1-ED.nii.gz, IQA.csv (grades), scores.csv (scores)."""

    folder: Path

    @property
    def grades(self) -> Path:
        return self.folder / "IQA.csv"

    @property
    def scores(self) -> Path:
        return self.folder / "scores.csv"


def write_rated_set(folder: Path) -> RatedSet:
    import nibabel

    rng = np.random.default_rng(3)
    rows, grades = [], []
    y, x = np.mgrid[:40, :48]
    heart = 100 + 80 * np.exp(-((y - 20) ** 2 + (x - 24) ** 2) / 60)
    for subject in range(N_SUBJECTS):
        for acquisition, score in enumerate((5, 4, 3, 1 + subject % 2), start=1):
            name = f"P{subject + 1:03d}-{acquisition}-ED"
            noise = rng.normal(0, 2 + 18 * (5 - score), (N_SLICES, *heart.shape))
            voxels = (heart + noise).transpose(2, 1, 0).astype(np.float32)
            path = folder / name.removesuffix("-ED") / f"{name}.nii.gz"
            path.parent.mkdir(parents=True)
            nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), path)
            rows += [[name, 0, index, score] for index in range(N_SLICES)]
            rows.append([name, "", "", score])
            grades.append([name, {5: 1, 4: 1, 3: 2, 2: 3, 1: 3}[score]])
    _write(folder / "IQA.csv", ["Image", "Label"], grades)
    _write(folder / "scores.csv", ["image", "frame", "slice", "score"], rows)
    return RatedSet(folder)


def _write(path: Path, columns: list, rows: list) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


@pytest.fixture(scope="session")
def rated_set(tmp_path_factory) -> RatedSet:
    """Read only."""
    return write_rated_set(tmp_path_factory.mktemp("rated"))


@pytest.fixture
def small_settings():
    """Settings under which a training run takes seconds."""
    from MotionQATrainerLib.training.training_settings import Settings

    return Settings().changed(
        {
            "model.size": 32,
            "model.spacing": 1.8,
            "model.pretrained": False,
            "data.margin": 8,
            "training.epochs": 2,
            "training.batch_size": 8,
            "training.precision": "fp32",
            "training.save_minutes": 60.0,
        }
    )


@pytest.fixture
def tiny_store(rng):
    """40 slices of noise, as if of one subject; the scores take turns."""
    from MotionQALib.preprocessing import Preprocessing
    from MotionQATrainerLib.data.datasets import SliceStore

    n = 40
    return SliceStore(
        crops=rng.normal(1, 0.2, (n, 40, 40)).astype(np.float16),
        images=np.full(n, "image"),
        subjects=np.full(n, "subject"),
        frames=np.zeros(n, int),
        slices=np.arange(n),
        levels=np.eye(5, dtype=bool)[np.arange(n) % 5],
        volume_levels={},
        preprocessing=Preprocessing(size=32),
    )
