"""Clean volumes with motion simulated anew in every epoch, so that no image is seen twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle

import numpy as np
import torch

from MotionQALib.file_stamps import files_of
from MotionQALib.heart_centre import heart_centre
from MotionQALib.preprocessing import Preprocessing
from MotionQALib.volumes import Volume

from ..data.clean_patients import CleanPatient
from ..data.datasets import SliceStore
from ..data.splits import Split
from ..simulation.simulated_set import SimulatedVolume, simulate_subject
from ..simulation.simulator import MotionSimulator
from .training_settings import Settings

REFERENCE = 2**31
"""Stands for the epoch's number in the seed of what is simulated once."""


@dataclass(eq=False)
class Simulated:
    """Training slices that are simulated at the start of each epoch, from seed and epoch alone.

    Parameters
    ----------
    patients : clean volumes
    split : of the patients
    simulator : on the device where it is fastest
    """

    patients: Sequence[CleanPatient]
    split: Split
    settings: Settings
    simulator: MotionSimulator = field(default_factory=MotionSimulator)

    def epoch(self, number: int) -> tuple[SliceStore, np.ndarray]:
        """New motion for as many training patients as fill an epoch, each with four behaviours."""
        training = [p for p in self.patients if p.name in self.split.train]
        seed = self.settings.training.seed
        order = np.random.default_rng([seed, number]).permutation(len(training))
        wanted = self.settings.data.epoch_slices
        made: list[SimulatedVolume] = []
        for turn, position in enumerate(cycle(order) if wanted else order):
            made += self._simulate(training[position], (seed, number, turn))
            if wanted and sum(len(volume.stack) for volume in made) >= wanted:
                break
        store = self._store(made)
        return store, np.arange(len(store))

    @cached_property
    def digest(self) -> str:
        """Of whose images motion is simulated on, and of all that their files hold."""
        digest = hashlib.blake2b(digest_size=10)
        for patient in self.patients:
            digest.update(f"{patient.name}\n".encode())
            for path, frame in patient.phases.values():
                digest.update(str(frame).encode())
                for file in files_of(path):
                    with file.open("rb") as stream:
                        while block := stream.read(1 << 20):
                            digest.update(block)
        return digest.hexdigest()

    def reference(self) -> SliceStore:
        """Motion drawn once: what training is validated and calibrated on."""
        seed, made = self.settings.training.seed, []
        for index, patient in enumerate(self.patients):
            part = self.split.part_of(patient.name)
            times = {"train": 1, "valid": self.settings.data.simulations}.get(part, 0)
            for turn in range(times):
                made += self._simulate(patient, (seed, REFERENCE, index, turn))
        return self._store(made)

    def _simulate(self, patient: CleanPatient, seed: Sequence[int]) -> Iterator[SimulatedVolume]:
        name = f"{patient.name}/{'-'.join(map(str, seed[1:]))}"
        return simulate_subject(patient, name, seed, wide=True, simulator=self.simulator)

    def _store(self, made: Iterable[SimulatedVolume]) -> SliceStore:
        preprocessing = self.settings.model.preprocessing
        return store_of(made, preprocessing, self.settings.data.margin)


def store_of(
    made: Iterable[SimulatedVolume], preprocessing: Preprocessing, margin: int
) -> SliceStore:
    """Simulated volumes as a store in memory."""
    crops, columns, wholes = [], [], {}
    for volume in made:
        whole, *slices = volume.labels()
        wholes[volume.image] = np.array(whole.levels)
        stack = torch.from_numpy(volume.stack / max(float(volume.stack.max()), 1e-30))
        side = preprocessing.size + margin
        centre = heart_centre(Volume(volume.stack, volume.spacing), preprocessing.locator)
        resampled = preprocessing.resample(stack, volume.spacing[1:], centre, size=side)
        crops.append(resampled.numpy().astype(np.float16))
        columns += [(volume.image, volume.subject, of.slice, of.levels) for of in slices]
    images, subjects, slices, levels = zip(*columns, strict=True)
    return SliceStore(
        crops=np.concatenate(crops),
        images=np.array(images),
        subjects=np.array(subjects),
        frames=np.zeros(len(images), dtype=int),
        slices=np.array(slices),
        levels=np.array(levels),
        volume_levels=wholes,
        preprocessing=preprocessing,
    )
