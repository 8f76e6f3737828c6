"""What needs no labels: untouched volumes must be mild, and more motion must score less."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from MotionQALib.assessment import Assessor
from MotionQALib.scale import Grade
from MotionQALib.volumes import Volume

from ..data.clean_patients import CleanPatient
from ..simulation.breathing import Behaviour, Breathing
from ..simulation.simulator import Acquisition, MotionSimulator
from .metrics import Interval, limits

AMPLITUDES = np.linspace(0.0, 8.0, 8)
"""Tidal excursions of the heart, mm: from none to the largest that Shechter et al. measured."""

SLICES = (0.25, 0.5, 0.75)
"""Places of the tested slices between the first and the last of the stack."""

Progress = Callable[[int, int], None]


def share_graded_mild(
    assessor: Assessor, patients: Sequence[CleanPatient], progress: Progress | None = None
) -> tuple[Interval, list[str]]:
    """Share of untouched volumes graded mild, and the names of the others."""
    values, subjects, others = [], [], []
    for done, patient in enumerate(patients, start=1):
        for phase in patient.phases:
            stack, spacing = patient.read(phase)
            name = f"{patient.name}-{phase}"
            mild = assessor.assess(Volume(stack, spacing, name)).volume_grade is Grade.MILD
            values.append(float(mild))
            subjects.append(patient.name)
            if not mild:
                others.append(name)
        if progress:
            progress(done, len(patients))
    return interval(np.array(values), subjects, np.mean), others


def amplitude_sweep(
    assessor: Assessor,
    patients: Sequence[CleanPatient],
    seed: int = 0,
    progress: Progress | None = None,
) -> Interval:
    """Spearman correlation of the expected score with the amplitude of motion, median over slices.

    The same breath of the same slice at amplitudes rising in eight steps; -1 is the ideal.
    """
    from scipy.stats import spearmanr

    values, subjects = [], []
    for done, patient in enumerate(patients, start=1):
        for scores in sweep(assessor, patient, np.random.default_rng([seed, done])):
            # All alike, they follow nothing.
            found = spearmanr(AMPLITUDES, scores).statistic if np.ptp(scores) else 0.0
            values.append(float(found))
            subjects.append(patient.name)
        if progress:
            progress(done, len(patients))
    return interval(np.array(values), subjects, np.median)


def sweep(assessor: Assessor, patient: CleanPatient, rng: np.random.Generator) -> np.ndarray:
    """Expected scores (slices, amplitudes) of a few of a patient's slices, amplitude rising."""
    stack, spacing = patient.read("ED")
    acquisition = Acquisition.draw(rng)
    breathing = Breathing(amplitude=1.0, exponent=2, drift=0.0, period=float(rng.uniform(3, 5)))
    unit = breathing.displacement(Behaviour.FREE, acquisition.times, len(stack), rng)
    lines = int(rng.integers(2**31))
    simulator = MotionSimulator()
    steps = [
        simulator(
            stack,
            spacing,
            amplitude * unit,
            acquisition,
            np.random.default_rng(lines),  # the same order of lines and phase at every amplitude
            centre=patient.heart_centre("ED"),
        )[0].cpu().numpy()
        for amplitude in AMPLITUDES
    ]  # fmt: skip
    chosen = sorted({round(place * (len(stack) - 1)) for place in SLICES})
    rising = np.stack(steps)[:, chosen]  # (amplitudes, slices, rows, columns)
    # As slices of one volume, not as frames: of frames the moving heart would set the crop.
    flat = Volume(rising.reshape(-1, *rising.shape[2:]), spacing, patient.name)
    expected = assessor.assess(flat).expected_scores[0]
    return expected.reshape(len(AMPLITUDES), len(chosen)).T


def interval(
    values: np.ndarray,
    subjects: Sequence[str],
    statistic: Callable[[np.ndarray], float],
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """A statistic and its 95 % interval by a bootstrap over subjects."""
    names = np.asarray(subjects)
    groups = [values[names == name] for name in dict.fromkeys(subjects)]
    if len(groups) < 2:
        return Interval(float(statistic(values)))
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))]))
        for _ in range(resamples)
    ]
    return Interval(float(statistic(values)), *limits(np.array(drawn)))
