"""Write a set of simulated motion in CMRxMotion's own layout.

``P001-1/P001-1-ED.nii.gz`` … ``P001-4/P001-4-ES.nii.gz`` (the digit is the behaviour), ``IQA.csv``
with the grade of each volume as the challenge gives it, and ``scores.csv`` with the score of every
slice and volume, the similarity behind it, and the patient that it was made from.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from ..data.clean_patients import CleanPatient, find_patients
from ..data.labels import (
    Label,
    levels_of_grade,
    levels_of_score,
    read_labels,
    write_grades,
    write_scores,
)
from .breathing import Behaviour, Breathing
from .nuisances import coarsened
from .severity import CURRENT, VERSIONS, Severity
from .simulator import Acquisition, MotionSimulator, Nuisance

BRIGHT = 1500.0
"""Level that a volume's bright signal is stored at, so that integers round off nothing."""

_NAME = re.compile(r"P(\d+)-[1-4]-(?:ED|ES)$")


@dataclass(frozen=True)
class SimulatedVolume:
    """One corrupted stack and what its slices score.

    Parameters
    ----------
    stack : (slices, rows, columns) float32
    similarity : (slices,)
    """

    image: str
    subject: str
    spacing: tuple[float, float, float]
    stack: np.ndarray
    similarity: np.ndarray
    severity: Severity = CURRENT

    def labels(self) -> list[Label]:
        """The volume's label, from the mean over its slices, then the slices'."""
        values = [float(self.similarity.mean()), *map(float, self.similarity)]
        return [
            Label(
                image=self.image,
                frame=None if index is None else 0,
                slice=index,
                levels=levels_of_score(int(self.severity.scores(value))),
                subject=self.subject,
                severity=round(value, 4),
            )
            for index, value in zip((None, *range(len(self.similarity))), values, strict=True)
        ]


def simulate_subject(
    patient: CleanPatient,
    name: str,
    seed: Sequence[int],
    *,
    wide: bool = False,
    check: bool = False,
    simulator: MotionSimulator | None = None,
) -> Iterator[SimulatedVolume]:
    """The four behaviours of one subject, ED and ES each, as images ``name-1-ED`` and so on.

    Breathing and protocol are the subject's, each slice's breath its own; ``wide`` draws both
    beyond what is typical (see `Acquisition.draw`), for training; ``check`` draws from ranges of
    its own, for testing.
    """
    rng = np.random.default_rng(seed)
    simulator = simulator or MotionSimulator()
    breathing, acquisition = Breathing.draw(rng), Acquisition.draw(rng, wide=wide, check=check)
    if check:
        breathing = breathing.unlike_training(rng)
    scale = rng.uniform(0.5, 1.8) if wide else 1.0
    stacks = {phase: patient.read(phase) for phase in patient.phases}
    for behaviour in Behaviour:
        for phase, (stack, spacing) in stacks.items():
            displacement = scale * breathing.displacement(
                behaviour, acquisition.times, len(stack), rng
            )
            if wide and behaviour is Behaviour.HOLD and rng.uniform() < 0.3:
                displacement *= 0
            nuisance = Nuisance.draw(rng, wide=wide)
            other = next((s for p, (s, _) in stacks.items() if p != phase), None)
            corrupted, similarity = simulator(
                stack,
                spacing,
                displacement,
                acquisition,
                rng,
                centre=patient.heart_centre(phase),
                nuisance=nuisance,
                other_phase=other if other is not None and other.shape == stack.shape else None,
            )
            seen = spacing
            if nuisance.pixel and nuisance.pixel > max(spacing[1:]):
                corrupted, pixels = coarsened(corrupted, spacing[1:], nuisance.pixel)
                seen = (spacing[0], *pixels)
            yield SimulatedVolume(
                image=f"{name}-{behaviour:d}-{phase}",
                subject=patient.name,
                spacing=seen,
                stack=corrupted.cpu().numpy(),
                similarity=similarity.cpu().numpy(),
                severity=simulator.severity,
            )


def write_set(
    clean: str | Path,
    out: str | Path,
    subjects: int,
    *,
    seed: int = 0,
    patients: Sequence[str] | None = None,
    wide: bool = False,
    check: bool = False,
    label: int = 2,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[Label]:
    """Write ``subjects`` simulated subjects, the clean patients taken in turn.

    A folder that holds a simulated set gets further subjects, numbered on from its last.

    Parameters
    ----------
    patients : names of the clean patients to use; all by default
    wide, check : where motion is drawn from, see `simulate_subject`
    label : version of the severity label
    progress : called with subjects done and in all

    Returns
    -------
    The labels of the whole set. Raises VolumeError where ``clean`` holds no usable patient,
    ValueError where ``patients`` names one that is not there or ``out`` holds another data set.
    """
    if subjects < 1:
        raise ValueError("simulate needs at least one subject; give --subjects a number above 0.")
    chosen = _chosen(find_patients(clean), patients)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    labels = _labels_of_set(out)
    first = 1 + max((int(_NAME.match(label.image)[1]) for label in labels), default=0)
    jobs = [
        (chosen[number % len(chosen)], f"P{number:03d}", (seed, number), wide, check, label, out)
        for number in range(first, first + subjects)
    ]
    for done, made in enumerate(_run(jobs, workers), start=1):
        labels += made
        if progress:
            progress(done, subjects)
    write_scores(out / "scores.csv", labels)
    write_grades(
        out / "IQA.csv",
        (
            replace(label, levels=levels_of_grade(label.grade))
            for label in labels
            if label.slice is None
        ),
    )
    return labels


def _labels_of_set(out: Path) -> list[Label]:
    """Labels of a simulated set; none where there is no set. Raises ValueError for another's."""
    scores = out / "scores.csv"
    labels = read_labels(scores) if scores.is_file() else []
    foreign = [label.image for label in labels if not _NAME.match(label.image)]
    if foreign or (not labels and (out / "IQA.csv").exists()):
        raise ValueError(f"{out} holds a data set that was not simulated; choose another folder.")
    return labels


def _chosen(found: list[CleanPatient], names: Sequence[str] | None) -> list[CleanPatient]:
    if names is None:
        return found
    by_name = {patient.name: patient for patient in found}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise ValueError(f"no such clean patient: {', '.join(missing)}.")
    return [by_name[name] for name in names]


def _run(jobs: list[tuple], workers: int) -> Iterator[list[Label]]:
    if workers < 2 or len(jobs) < 2:
        yield from map(_write_subject, jobs)
        return
    with ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_one_thread
    ) as pool:
        yield from pool.map(_write_subject, jobs)


def _one_thread() -> None:
    """Slices are small: a core each is faster than cores that wait for each other."""
    import torch

    torch.set_num_threads(1)


def _write_subject(job: tuple) -> list[Label]:
    patient, name, seed, wide, check, label, out = job
    made = []
    simulator = MotionSimulator(severity=VERSIONS[label])
    for volume in simulate_subject(
        patient, name, seed, wide=wide, check=check, simulator=simulator
    ):
        _write_volume(volume, out)
        made.append(volume.labels())
    return list(chain.from_iterable(made))


def _write_volume(volume: SimulatedVolume, out: Path) -> None:
    import nibabel

    acquisition = volume.image.rpartition("-")[0]
    folder = out / acquisition
    folder.mkdir(exist_ok=True)
    bright = max(float(np.percentile(volume.stack, 99)), 1e-6)
    stored = np.clip(np.rint(volume.stack * (BRIGHT / bright)), 0, 32767).astype(np.int16)
    affine = np.diag([*volume.spacing[::-1], 1.0])
    image = nibabel.Nifti1Image(stored.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, folder / f"{volume.image}.nii.gz")
