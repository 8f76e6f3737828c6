"""Phantoms in the layout of clean patients.

``python -m MotionQATrainerLib.simulation.phantom_set FOLDER --people 28`` writes them.
Each is another person with another scanner's matrix, end diastole and end systole, with the heart's
mask beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .phantom import ES_PHASE, Phantom, write_nifti


def write_phantoms(folder: str | Path, people: int, *, seed: int = 0) -> list[str]:
    """Write ``people`` phantoms below ``folder``; return their names."""
    names = []
    for number in range(people):
        rng = np.random.default_rng([seed, number])
        name = f"phantom{seed + number:03d}"
        pixel = float(rng.uniform(1.1, 1.8))
        rows, columns = (round(float(rng.uniform(290, 380)) / pixel) for _ in range(2))
        person = Phantom(
            seed=seed + number,
            n_slices=int(rng.integers(7, 12)),
            shape=(rows, columns),
            spacing=(float(rng.uniform(7, 10)), pixel, pixel),
            noise=float(rng.uniform(0.005, 0.03)),
        )
        home = Path(folder) / name
        home.mkdir(parents=True, exist_ok=True)
        (home / "Info.cfg").write_text("ED: 1\nES: 12\nGroup: NOR\n", encoding="utf-8")
        for frame, phase in ((1, 0.0), (12, ES_PHASE)):
            person.save(home / f"{name}_frame{frame:02d}.nii.gz", phase=phase)
            mask = person.heart_mask(phase)
            write_nifti(home / f"{name}_frame{frame:02d}_gt.nii.gz", mask, person.spacing, "uint8")
        names.append(name)
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    names = write_phantoms(given.folder, given.people, seed=given.seed)
    print(f"{given.folder} holds {len(names)} phantoms.")


if __name__ == "__main__":
    main()
