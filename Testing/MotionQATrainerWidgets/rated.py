"""A small rated data set for the window's tests, and a training that takes seconds on it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SUBJECTS, SLICES = 6, 2


def write_set(folder: Path) -> Path:
    """CMRxMotion's layout, the noisier the worse: P001-1/P001-1-ED.nii.gz and IQA.csv."""
    import nibabel

    rng = np.random.default_rng(3)
    y, x = np.mgrid[:40, :48]
    heart = 100 + 80 * np.exp(-((y - 20) ** 2 + (x - 24) ** 2) / 60)
    rows = []
    for subject in range(1, SUBJECTS + 1):
        for acquisition, grade in enumerate((1, 2, 3), start=1):
            name = f"P{subject:03d}-{acquisition}-ED"
            noise = rng.normal(0, 30 * grade - 25, (SLICES, *heart.shape))
            voxels = (heart + noise).transpose(2, 1, 0).astype(np.float32)
            path = folder / name.removesuffix("-ED") / f"{name}.nii.gz"
            path.parent.mkdir(parents=True)
            nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), path)
            rows.append([name, grade])
    with (folder / "IQA.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["Image", "Label"], *rows])
    return folder
