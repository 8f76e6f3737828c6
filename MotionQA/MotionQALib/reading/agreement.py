"""How well a study's readers agree: with each other, with themselves, with the network.

    report = agreement(scores)                   # StudyScores; or agreement(scores, network=…)
    for comparison in report.comparisons:                   # of scores and of grades
        comparison.kind, comparison.raters                  # "readers", ("anna", "ben")
        str(comparison.values["quadratic_kappa"])           # 0.712 (0.604 to 0.801)
        comparison.confusion                                # (q, q) counts, rows the first rater
    report.disagreements                                    # of two scores or more, worst first
    report.remarks                                          # what could not be read or compared

The intervals are the 2.5th and 97.5th percentile of a bootstrap that draws subjects, not images:
the images of one subject resemble each other. Readers are compared by their first readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..bootstrap import Interval, SubjectDraws, limits
from ..scale import SCORES, Grade
from .agreement_statistics import all_statistics, confusion
from .blinding import Blinding
from .network_grades import NetworkGrades
from .ratings import NETWORK_RATER, Rater, Ratings
from .reading_errors import StudyError
from .score_entry import LABELS
from .study_scores import StudyScores

SCALES = {"score": len(SCORES), "grade": len(Grade)}
FAR = 2
"""Scores that two raters must differ by to be listed."""


@dataclass(frozen=True, eq=False)
class RaterComparison:
    """Two raters, or all readers together.

    Parameters
    ----------
    kind : "all", "readers", "self" (first and second reading) or "network"
    scale : "score", 5 categories, or "grade", 3
    values : statistic of `agreement_statistics.TITLES` -> value and interval
    n, subjects : items that at least two have rated, and whose they are
    confusion : (q, q) int, rows the first rater, in the order of ``categories``; None for "all"
    """

    kind: str
    raters: tuple[str, ...]
    scale: str
    n: int
    subjects: int
    values: dict[str, Interval]
    confusion: np.ndarray | None

    @property
    def title(self) -> str:
        if self.kind == "self":
            return f"{self.raters[0]}, first and second reading"
        return f"all {len(self.raters)} readers" if self.kind == "all" else " – ".join(self.raters)

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(map(str, SCORES)) if self.scale == "score" else LABELS


@dataclass(frozen=True)
class Disagreement:
    """An item of which two ratings differ by `FAR` scores or more.

    Parameters
    ----------
    case, image : the case's key, and what it may be called
    scores : of each rater, and of second readings as "anna (2nd)"
    """

    case: str
    image: str
    slice: int | None
    scores: dict[str, int]

    @property
    def difference(self) -> int:
        return max(self.scores.values()) - min(self.scores.values())


@dataclass(frozen=True)
class Report:
    """All that is known of a study's agreement; see the top of this file."""

    study: str
    readers: dict[str, int]
    comparisons: tuple[RaterComparison, ...]
    disagreements: tuple[Disagreement, ...]
    remarks: tuple[str, ...]
    resamples: int
    seed: int


def agreement(
    scores: StudyScores,
    *,
    network: NetworkGrades | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Report:
    """Compare all readers of a study; images are called as the one who asks may call them.

    Raises StudyError if nobody has scored anything.
    """
    study, cases = scores.study, scores.cases
    everyone = [one for one in scores.readers if one.entries]
    if not everyone:
        raise StudyError(f"Nobody has scored a case of {study.folder} yet.")
    remarks = [*cases.reports, *scores.remarks]
    ratings = Ratings(cases, everyone, network or NetworkGrades())
    remarks += [*ratings.remarks, *(network.remarks if network else ())]
    return Report(
        study=study.folder.resolve().name,
        readers={one.reader: len(one.entries) for one in everyone},
        comparisons=tuple(_compare(_tasks(ratings), ratings.subjects, resamples, seed)),
        disagreements=tuple(_disagreements(ratings, scores.blinding)),
        remarks=scores.blinding.tell(remarks),
        resamples=resamples,
        seed=seed,
    )


class _Task(NamedTuple):
    """Raters to be compared: ratings (n, raters), and the rows (n,) that two of them have rated."""

    kind: str
    raters: tuple[Rater, ...]
    scale: str
    table: np.ndarray
    rows: np.ndarray


def _tasks(ratings: Ratings) -> list[_Task]:
    """What is compared, in the order of the report."""
    tasks = []
    for kind, raters in _groups(list(ratings.columns["score"])):
        for scale in SCALES:
            table = np.stack([ratings.columns[scale][rater] for rater in raters], axis=1)
            rows = (table >= 0).sum(axis=1) > 1
            if rows.any():
                tasks.append(_Task(kind, raters, scale, table, rows))
    return tasks


def _groups(raters: Sequence[Rater]) -> Iterator[tuple[str, tuple[Rater, ...]]]:
    readers = [rater for rater in raters if rater[1] == 0]
    if len(readers) > 2:
        yield "all", tuple(readers)
    for pair in combinations(readers, 2):
        yield "readers", pair
    for name, _ in readers:
        if (name, 1) in raters:
            yield "self", ((name, 0), (name, 1))
    if NETWORK_RATER in raters:
        for rater in readers:
            yield "network", (rater, NETWORK_RATER)


def _compare(
    tasks: Sequence[_Task], subjects: np.ndarray, resamples: int, seed: int
) -> list[RaterComparison]:
    """Values and intervals; all comparisons see the same resamples."""
    if not tasks:
        return []  # of no case in the list, perhaps: then there are no subjects to draw
    draws = SubjectDraws(subjects, resamples, np.random.default_rng(seed))
    compared = []
    for task in tasks:
        drawn = all_statistics(task.table, draws, SCALES[task.scale]) if resamples else {}
        compared.append(_comparison(task, subjects[task.rows], drawn))
    return compared


def _comparison(task: _Task, subjects: np.ndarray, drawn: dict[str, np.ndarray]) -> RaterComparison:
    # All rows, as in the resamples: AC2's chance knows what a single rater said, too.
    table, q = task.table, SCALES[task.scale]
    plain, n_subjects = np.ones((1, len(table))), len(set(subjects.tolist()))
    values = {}
    for name, (value,) in all_statistics(table, plain, q).items():
        # One subject drawn again and again would promise a certainty that there is not.
        known = name in drawn and not np.isnan(value) and n_subjects > 1
        values[name] = Interval(float(value), *(limits(drawn[name]) if known else ()))
    matrix = None
    if len(task.raters) == 2:
        matrix = confusion(table[:, 0], table[:, 1], plain, q)[0].astype(int)
    names = tuple(name for name, _ in task.raters)
    n = int(task.rows.sum())
    return RaterComparison(task.kind, names, task.scale, n, n_subjects, values, matrix)


def _disagreements(ratings: Ratings, blinding: Blinding) -> list[Disagreement]:
    columns = {_shown(rater): column for rater, column in ratings.columns["score"].items()}
    found = []
    for row, key in enumerate(ratings.keys):
        said = {name: int(column[row]) + 1 for name, column in columns.items() if column[row] >= 0}
        if said and max(said.values()) - min(said.values()) >= FAR:
            found.append(Disagreement(key.case, blinding.name_of(key.case), key.slice, said))
    return sorted(found, key=lambda d: -d.difference)


def _shown(rater: Rater) -> str:
    name, reading = rater
    return f"{name} (2nd)" if reading == 1 else name
