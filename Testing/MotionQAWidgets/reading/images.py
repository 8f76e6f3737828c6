"""Small image files for the tests of reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DIRECTIONS = {
    "axial": ((1.5, 0, 0), (0, 1.5, 0), (0, 0, 8)),
    # A short-axis stack: its slices lie between the body's planes.
    "oblique": ((0.9, 0.6, -1.0), (0.75, -1.28, -0.1), (-5.2, -4.1, -7.1)),
}


def heart(seed: int, slices: int = 3, size: int = 48) -> np.ndarray:
    """(slices, rows, columns) int16: a ring in noise, every seed another."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size] - size / 2
    ring = 500 * (abs(np.hypot(rows, columns) - size / 5) < size / 14)
    return (ring + rng.integers(0, 90, (slices, size, size))).astype(np.int16)


def write_nrrd(path: Path, voxels: np.ndarray, directions: str = "axial") -> Path:
    """Write (slices, rows, columns) with geometry, as LPS."""
    slices, rows, columns = voxels.shape
    vectors = " ".join("({},{},{})".format(*vector) for vector in DIRECTIONS[directions])
    header = (
        "NRRD0004\ntype: int16\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {columns} {rows} {slices}\nspace directions: {vectors}\n"
        "kinds: domain domain domain\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode("ascii") + voxels.astype("<i2").tobytes())
    return path


def write_study(folder: Path, cases: int = 4, slices: int = 3) -> list[Path]:
    """Files named as patients, in a folder."""
    names = [f"Doe^Jane_{number:02d}" for number in range(cases)]
    return [
        write_nrrd(folder / f"{name}.nrrd", heart(number, slices))
        for number, name in enumerate(names)
    ]
