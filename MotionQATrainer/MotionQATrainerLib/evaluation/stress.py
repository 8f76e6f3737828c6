"""What a grade must not hang on, tried on clean volumes: nuisances, pixels, place, order of lines.

Everything is made from untouched volumes, so any clean folder will do. What is no motion must leave
them mild; the same motion must be graded as well wherever the heart lies and in whatever order the
lines were acquired; and what is no heart must be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from MotionQALib.assessment import AssessmentError, Assessor
from MotionQALib.bootstrap import Interval
from MotionQALib.familiarity import REMARK, strangers_named
from MotionQALib.heart_centre import heart_centre
from MotionQALib.scale import GRADE_OF_SCORE, Grade, median_score
from MotionQALib.volumes import Volume

from ..data.clean_patients import CleanPatient
from ..simulation import nuisances
from ..simulation.breathing import Behaviour, Breathing
from ..simulation.severity import CURRENT
from ..simulation.simulator import Acquisition, MotionSimulator, Nuisance, Ordering
from . import metrics
from .sensitivity import interval

OFF_CENTRE = 60.0
"""mm that the heart is moved off the image's middle."""

STRANGE = 400
"""Images that are no heart."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was tried, the figure, and how many volumes or slices it has."""

    tried: str
    figure: str
    value: Interval
    count: int


@dataclass(frozen=True)
class Shaken:
    """A volume after a change, and what is known of it."""

    tried: str
    volume: Volume
    subject: str
    similarity: np.ndarray | None = None


NUISANCES: dict[str, Nuisance] = {
    "untouched": Nuisance(),
    "pixels of 2.0 mm": Nuisance(pixel=2.0),
    "pixels of 2.5 mm": Nuisance(pixel=2.5),
    "pixels of 3.0 mm": Nuisance(pixel=3.0),
    "blurred by 1 pixel": Nuisance(blur=1.0),
    "blurred by 1.5 pixels": Nuisance(blur=1.5),
    "two of ten beats mistriggered": Nuisance(mistriggered=0.6, late_beats=2),
    "partial Fourier, 70 %": Nuisance(partial_fourier=0.7),
    "Gibbs: k-space cut to 60 %": Nuisance(truncation=0.6),
    "banding": Nuisance(bands=0.6),
    "bias field": Nuisance(bias=0.8),
    "flow ghost": Nuisance(ghost=0.12),
    "noise of 4 %": Nuisance(noise=0.04),
    "wrap of 15 %": Nuisance(wrap=0.15),
}


def stress(
    assessor: Assessor,
    patients: Sequence[CleanPatient],
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Finding]:
    """Every line of the table, intervals by a bootstrap over patients.

    Raises AssessmentError where a volume cannot be graded.
    """
    steps = 2 * len(patients) + 1

    def step(number: int) -> None:
        if progress:
            progress(number, steps)

    found = _clean(assessor, patients, seed, step)
    found += _places(assessor, patients)
    found += _moving(assessor, patients, seed, lambda number: step(len(patients) + number))
    found += _strangers(assessor, seed)
    step(steps)
    return found


def _clean(assessor, patients, seed: int, step: Callable[[int], None]) -> list[Finding]:
    """What is no motion, and must leave volumes mild and slices familiar."""
    tried: dict[str, list[tuple[str, float, int, int]]] = {}
    for number, patient in enumerate(patients):
        for shaken in spoilt(patient, np.random.default_rng([seed, 1, number])):
            graded = assessor.assess(shaken.volume)
            others = float(graded.volume_grade is not Grade.MILD)
            strange = sum(map(len, strangers_named(graded.remarks, shaken.volume.n_slices)))
            row = (shaken.subject, others, strange, shaken.volume.n_slices)
            tried.setdefault(shaken.tried, []).append(row)
        step(number + 1)
    found = []
    for name, rows in tried.items():
        share = interval(np.array([row[1] for row in rows]), [row[0] for row in rows], np.mean)
        found.append(Finding(name, "volumes not called mild", share, len(rows)))
    real = [row for rows in tried.values() for row in rows]
    if assessor.tells_strangers:
        shares, names = np.array([row[2] / row[3] for row in real]), [row[0] for row in real]
        share, count = interval(shares, names, np.mean), sum(row[3] for row in real)
        found.append(Finding("these, all together", "slices called no heart", share, count))
    return found


def _places(assessor, patients) -> list[Finding]:
    """How far off the heart is looked for, where masks tell."""
    places = [(patient.name, off) for patient in patients for off in _off(assessor, patient)]
    if not places:
        return []
    values, subjects = np.array([off for _, off in places]), [name for name, _ in places]
    return [
        Finding("heart's place, mm off", figure, interval(values, subjects, statistic), len(places))
        for figure, statistic in (
            ("median", np.median),
            ("95th percentile", lambda x: np.percentile(x, 95)),
        )
    ]


def _moving(assessor, patients, seed: int, step: Callable[[int], None]) -> list[Finding]:
    """Motion by every order of lines, and off the middle."""
    moving: dict[str, list[tuple]] = {}
    for number, patient in enumerate(patients):
        for shaken in moved(patient, np.random.default_rng([seed, 2, number])):
            graded = assessor.assess(shaken.volume)
            row = (
                shaken.subject, shaken.similarity, graded.volume_probabilities,
                graded.probabilities[0], graded.volume_uncertain,
            )  # fmt: skip
            moving.setdefault(shaken.tried, []).append(row)
        step(number + 1)
    found = [line for name, rows in moving.items() for line in _against_labels(name, rows)]
    return found + _missed([row for rows in moving.values() for row in rows])


def table(found: Sequence[Finding], style: str = "text") -> str:
    """The findings, a line each."""
    rows = [(f.tried, f.figure, str(f.value), str(f.count)) for f in found]
    head = ("Tried", "Figure", "Value (95 %)", "n")
    if style == "markdown":
        lines = ["| " + " | ".join(row) + " |" for row in (head, ("---",) * 4, *rows)]
        return "\n".join(lines)
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    )


def spoilt(patient: CleanPatient, rng: np.random.Generator) -> Iterator[Shaken]:
    """A patient's end-diastolic stack with each of the `NUISANCES`, and no breathing."""
    stack, spacing = patient.read("ED")
    other = patient.read("ES")[0] if "ES" in patient.phases else None
    if other is not None and other.shape != stack.shape:
        other = None
    acquisition = Acquisition.draw(rng)
    still = np.zeros((len(stack), acquisition.heartbeats))
    centre = patient.heart_centre("ED")
    for name, nuisance in NUISANCES.items():
        if nuisance.mistriggered and other is None:
            continue
        if nuisance.pixel:
            images = torch.from_numpy(stack)
            images, pixels = nuisances.coarsened(images, spacing[1:], nuisance.pixel)
            yield Shaken(name, _volume(images, (spacing[0], *pixels), patient), patient.name)
            continue
        images = stack
        if nuisance != Nuisance():
            images, _ = MotionSimulator()(
                stack, spacing, still, acquisition, rng,
                centre=centre, nuisance=nuisance, other_phase=other,
            )  # fmt: skip
        yield Shaken(name, _volume(images, spacing, patient), patient.name)


def moved(patient: CleanPatient, rng: np.random.Generator) -> Iterator[Shaken]:
    """The stack breathing in each behaviour, by every order of lines, and off the middle."""
    stack, spacing = patient.read("ED")
    breathing = Breathing.draw(rng).unlike_training(rng)
    centre = patient.heart_centre("ED")
    for turn, ordering in enumerate(Ordering):
        drawn = Acquisition.draw(rng)
        acquisition = Acquisition(**{**vars(drawn), "ordering": ordering})
        # Two behaviours an order, so that each comes with each over the patients.
        for behaviour in (Behaviour(1 + (turn + k + len(patient.name)) % 4) for k in (0, 2)):
            motion = breathing.displacement(behaviour, acquisition.times, len(stack), rng)
            images, similarity = MotionSimulator()(
                stack, spacing, motion, acquisition, rng, centre=centre
            )
            volume = _volume(images, spacing, patient)
            yield Shaken(f"{ordering.value} lines", volume, patient.name, similarity.numpy())
            if ordering is Ordering.INTERLEAVED:
                for name, off in (("heart in the middle", 0.0), ("heart 60 mm off", OFF_CENTRE)):
                    placed = _placed(images, spacing, centre, off, rng)
                    volume = _volume(placed, spacing, patient)
                    yield Shaken(name, volume, patient.name, similarity.numpy())


def _placed(images, spacing, centre, off: float, rng: np.random.Generator) -> torch.Tensor:
    """The images on a larger field of view whose middle lies ``off`` mm from the heart."""
    images = torch.as_tensor(images)
    shape = images.shape[1:]
    centre = centre or tuple((n - 1) / 2 for n in shape)
    angle = rng.uniform(0, 2 * np.pi)
    middle = [
        round(place + off * turn / step)
        for place, turn, step in zip(
            centre, (np.sin(angle), np.cos(angle)), spacing[1:], strict=True
        )
    ]
    side = [round(360 / step / 2) for step in spacing[1:]]
    padded = torch.nn.functional.pad(images, (side[1], side[1], side[0], side[0]))
    return padded[:, middle[0] : middle[0] + 2 * side[0], middle[1] : middle[1] + 2 * side[1]]


def _volume(images, spacing, patient: CleanPatient) -> Volume:
    return Volume(np.asarray(images, dtype=np.float32), spacing, patient.name)


def _off(assessor: Assessor, patient: CleanPatient) -> Iterator[float]:
    """Distance in mm of the heart that is found from the mask's, where there is a mask."""
    for stack, pixel, truth in patient.left_ventricles():
        found = heart_centre(Volume(stack, (1.0, *pixel)), assessor.preprocessing.locator)
        if found is not None:
            yield float(np.hypot(*((np.array(found) - truth) * pixel)))


def _against_labels(name: str, rows: Sequence[tuple]) -> list[Finding]:
    """Agreement with the simulator's label, of volumes and of slices."""
    eye = np.eye(5, dtype=bool)
    wholes = np.array([row[2] for row in rows])
    scores = [int(CURRENT.scores(float(np.mean(row[1])))) for row in rows]
    subjects = [row[0] for row in rows]
    of_volumes = metrics.evaluate(eye[np.array(scores) - 1], wholes, subjects)
    slices = np.concatenate([row[3] for row in rows])
    labels = np.concatenate([CURRENT.scores(row[1]) for row in rows])
    owners = [row[0] for row in rows for _ in row[1]]
    of_slices = metrics.evaluate(eye[labels - 1], slices, owners)
    found = [
        Finding(name, "volumes: quadratic κ", of_volumes["quadratic_kappa"], len(rows)),
        Finding(name, "slices: quadratic κ", of_slices["quadratic_kappa"], len(labels)),
    ]
    severe = np.array(labels) <= 2
    if severe.any():
        said = GRADE_OF_SCORE[median_score(slices) - 1] == Grade.SEVERE
        recall = interval(said[severe].astype(float), list(np.array(owners)[severe]), np.mean)
        found.append(Finding(name, "slices: severe found", recall, int(severe.sum())))
    return found


def _missed(rows: Sequence[tuple]) -> list[Finding]:
    """Severe volumes, and slices' share of doubt, over all motion."""
    severe = [row for row in rows if CURRENT.scores(float(np.mean(row[1]))) <= 2]
    flagged = interval(np.array([float(row[4]) for row in rows]), [r[0] for r in rows], np.mean)
    found = [Finding("all motion", "volumes called uncertain", flagged, len(rows))]
    if severe:
        names = [row[0] for row in severe]
        said = np.array(
            [GRADE_OF_SCORE[median_score(row[2]) - 1] == Grade.SEVERE for row in severe]
        )
        unflagged = np.array([not row[4] for row in severe])
        recall = interval(said.astype(float), names, np.mean)
        missed = interval((~said & unflagged).astype(float), names, np.mean)
        found.append(Finding("all motion", "severe volumes found", recall, len(severe)))
        found.append(Finding("all motion", "severe missed, not flagged", missed, len(severe)))
    return found


def _strangers(assessor: Assessor, seed: int) -> list[Finding]:
    """Share of images that are no heart which are told."""
    if not assessor.tells_strangers:
        return []
    from ..simulation.strangers import strangers

    rng = np.random.default_rng([seed, 3])
    told: dict[str, list[float]] = {}
    for kind, image in strangers(STRANGE, rng):
        pixel = float(rng.uniform(0.8, 2.0))
        told.setdefault(kind, []).append(float(_is_told(assessor, image, pixel, kind)))
    every = np.array([value for values in told.values() for value in values])
    share = interval(every, [str(i) for i in range(len(every))], np.mean)
    found = [Finding("no hearts", "told", share, len(every))]
    return found + [
        Finding(f"no hearts: {kind}", "told", Interval(float(np.mean(values))), len(values))
        for kind, values in told.items()
    ]


def _is_told(assessor: Assessor, image: np.ndarray, pixel: float, kind: str) -> bool:
    """Whether an image is called no heart, or refused altogether as a blank one is."""
    try:
        remarks = assessor.assess(Volume(image, (8.0, pixel, pixel), kind)).remarks
    except AssessmentError:
        return True
    return any(REMARK in text for text in remarks)
