"""Sample volumes: one synthetic person lies in the scanner four times and breathes in four ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MotionQALib.whole_files import replacing

from .breathing import Behaviour, Breathing
from .phantom import Phantom, write_nifti
from .simulator import Acquisition, MotionSimulator

SEED = 3  # with this one the motion spans the whole scale


def make(folder: str | Path, person: Phantom | None = None) -> list[Path]:
    """Write ``MotionQA-1-hold.nii.gz`` to ``MotionQA-4-intensive.nii.gz``; their paths.

    Each is written whole or not at all, the last one last.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    person = person or Phantom(seed=SEED)
    clean = person.volume()
    rng = np.random.default_rng(SEED)
    breathing, acquisition = Breathing.draw(rng), Acquisition.draw(rng)
    simulate = MotionSimulator()
    paths = []
    for behaviour in Behaviour:
        displacement = breathing.displacement(behaviour, acquisition.times, len(clean), rng)
        images, _similarity = simulate(clean, person.spacing, displacement, acquisition, rng)
        name = f"MotionQA-{behaviour.value}-{behaviour.label}.nii.gz"
        with replacing(folder / name, ".part.nii.gz") as part:
            write_nifti(part, images.numpy(), person.spacing)
        paths.append(folder / name)
    return paths
