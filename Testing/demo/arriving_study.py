"""DICOM series of a study as a scanner sends them: a stack in which the breath was not always held,
and its worst slices once more.

``python Testing/demo/arriving_study.py FOLDER`` writes a folder a series. The person is a phantom.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cine_objects
from MotionQATrainerLib.simulation.breathing import Behaviour, Breathing
from MotionQATrainerLib.simulation.phantom import Phantom
from MotionQATrainerLib.simulation.simulator import Acquisition, MotionSimulator

SEED, SLICES, PHASES = 3, 9, 6
RR = 900.0
"""ms between two heartbeats."""

HOLD, DEEP = Behaviour.HOLD, Behaviour.INTENSIVE
FIRST = (HOLD, HOLD, HOLD, HOLD, DEEP, DEEP, HOLD, Behaviour.FREE, HOLD)
"""How the breath was held in each slice of the stack."""

DEEPER = 1.7
"""So much deeper than most people this one breathes."""

AGAIN = (4, 5)
"""Slices that are acquired once more, with the breath held."""


def main(folder: Path) -> None:
    person = Phantom(seed=SEED, n_slices=SLICES)
    cine = person.cine(PHASES)
    study = cine_objects.generate_uid()
    write(folder / "1-stack", acquired(person, cine, FIRST), study, 12, "cine_bSSFP_sax_stack")
    still = acquired(person, cine[:, list(AGAIN)], [HOLD] * len(AGAIN))
    write(folder / "2-again", still, study, 13, "cine_bSSFP_sax_repeat", first=AGAIN[0])


def acquired(person: Phantom, cine: np.ndarray, behaviours) -> np.ndarray:
    """(frames, slices, rows, columns) as the scanner makes them of a person who breathes so."""
    rng = np.random.default_rng(SEED)
    breathing, acquisition = Breathing.draw(rng), Acquisition.draw(rng)
    displacement = np.concatenate(
        [breathing.displacement(one, acquisition.times, 1, rng) for one in behaviours]
    )
    displacement *= np.where([[one is HOLD] for one in behaviours], 1.0, DEEPER)
    simulate = MotionSimulator()
    frames = [
        simulate(frame, person.spacing, displacement, acquisition, np.random.default_rng(SEED))[
            0
        ].numpy()
        for frame in cine
    ]
    return np.clip(1000 * np.stack(frames) / np.max(frames), 0, 4000)


def write(folder: Path, voxels, study: str, number: int, description: str, first: int = 0) -> None:
    uid = cine_objects.generate_uid()
    images = []
    for index in range(voxels.shape[1]):
        for frame in range(len(voxels)):
            images.append(
                cine_objects.image(
                    len(images) + 1,
                    voxels[frame, index],
                    place=8.0 * (first + index),
                    time=RR * frame / len(voxels),
                    study=study,
                    series=uid,
                    series_number=number,
                    description=description,
                    phases=len(voxels),
                    PixelSpacing=[1.4, 1.4],
                    SpacingBetweenSlices=8.0,
                )
            )
    cine_objects.save(images, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
