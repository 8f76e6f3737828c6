"""How well a study's readers agree: with each other, with themselves, with the network.

    report = agreement(study)                               # or agreement(study, network=…)
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

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..resampling import Interval, confusion, limits, subject_weights
from ..scale import GRADE_OF_SCORE, SCORES, Grade
from .agreement_statistics import TITLES, all_statistics
from .case_list import CaseList
from .entry import LABELS, Entry, Place
from .errors import ReadingError
from .exchange import image_names
from .network_grades import NetworkGrades
from .scores import NETWORK, Scores, all_scores
from .study import Study

SCALES = {"score": len(SCORES), "grade": len(Grade)}
FAR = 2
"""Scores that two raters must differ by to be listed."""

_CHUNK = 4_000_000  # weights held at once, 32 MB


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two raters, or all readers together.

    Parameters
    ----------
    kind : "all", "readers", "self" (first and second reading) or "network"
    scale : "score", 5 categories, or "grade", 3
    values : statistic of `agreement_statistics.TITLES` -> value and interval
    n, subjects : places that at least two have rated, and whose they are
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
    """A place at which two ratings differ by `FAR` scores or more.

    Parameters
    ----------
    image : the case's name
    scores : of each rater, and of second readings as "anna (2nd)"
    """

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
    comparisons: tuple[Comparison, ...]
    disagreements: tuple[Disagreement, ...]
    remarks: tuple[str, ...]
    resamples: int
    seed: int


def agreement(
    study: Study,
    *,
    network: NetworkGrades | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Report:
    """Compare all readers of a study.

    Raises ReadingError if nobody has scored anything.
    """
    cases = CaseList(study)
    everyone = [scores for scores in all_scores(study) if scores.entries]
    remarks = [*cases.reports, *(line for scores in all_scores(study) for line in scores.damaged)]
    if not everyone:
        raise ReadingError(f"Nobody has scored a case of {study.folder} yet.")
    ratings = _Ratings(cases, everyone, network or NetworkGrades())
    remarks += [*ratings.remarks, *(network.remarks if network else ())]
    pairs = _pairs(everyone, ratings)
    return Report(
        study=study.folder.resolve().name,
        readers={scores.reader: len(scores.entries) for scores in everyone},
        comparisons=tuple(_compare(pairs, ratings, resamples, seed)),
        disagreements=tuple(_disagreements(ratings, cases)),
        remarks=tuple(dict.fromkeys(remarks)),
        resamples=resamples,
        seed=seed,
    )


Rater = tuple[str, int]
"""A reader and the reading, from 0; the network has reading -1, so that no name is taken."""

_NETWORK: Rater = (NETWORK, -1)


class _Ratings:
    """Columns of ratings: rater -> (n,) scores, and grades, from 0; -1 for none."""

    def __init__(self, cases: CaseList, everyone: Sequence[Scores], network: NetworkGrades) -> None:
        known = {place for scores in everyone for place in scores.entries}
        order = {case.key: number for number, case in enumerate(cases.cases)}
        kept = {place._replace(repeat=0) for place in known if place.case in order}
        self.places = sorted(
            kept, key=lambda p: (order[p.case], -1 if p.slice is None else p.slice)
        )
        lost = {place.case for place in known} - set(order)
        self.remarks = [
            f"{len(lost)} scored images are not in the list of cases; they are left out."
        ] * bool(lost)
        self.subjects = np.array([cases.get(p.case).subject for p in self.places], dtype=str)
        self.columns: dict[str, dict[Rater, np.ndarray]] = {"score": {}, "grade": {}}
        for scores in everyone:
            for repeat in sorted({place.repeat for place in scores.entries}):
                said = [scores.entries.get(p._replace(repeat=repeat)) for p in self.places]
                self._add((scores.reader, repeat), list(map(_numbers, said)))
        graded = [_graded(network, place) for place in self.places]
        if network.assessments:
            self._add(_NETWORK, graded)

    def _add(self, rater: Rater, numbers: Sequence[tuple[int, int]]) -> None:
        values = np.array(numbers, dtype=np.int64).reshape(-1, 2)
        self.columns["score"][rater], self.columns["grade"][rater] = values.T


def _numbers(entry: Entry | None) -> tuple[int, int]:
    """Score and grade from 0, -1 for none."""
    if entry is None:
        return -1, -1
    return -1 if entry.score is None else entry.score - 1, LABELS.index(entry.grade)


def _graded(network: NetworkGrades, place: Place) -> tuple[int, int]:
    score = network.score_of(place)
    return (-1, -1) if score is None else (score - 1, int(GRADE_OF_SCORE[score - 1]) - 1)


def _pairs(everyone: Sequence[Scores], ratings: _Ratings) -> list[tuple[str, tuple[Rater, ...]]]:
    """What is compared with what, in the order of the report."""
    readers = [(scores.reader, 0) for scores in everyone]
    readers = [rater for rater in readers if rater in ratings.columns["score"]]
    pairs = []
    if len(readers) > 2:
        pairs.append(("all", tuple(readers)))
    pairs += [("readers", pair) for pair in combinations(readers, 2)]
    again = [((name, 0), (name, 1)) for name, _ in readers]
    pairs += [("self", pair) for pair in again if pair[1] in ratings.columns["score"]]
    if _NETWORK in ratings.columns["score"]:
        pairs += [("network", (rater, _NETWORK)) for rater in readers]
    return pairs


def _compare(pairs, ratings: _Ratings, resamples: int, seed: int) -> list[Comparison]:
    """Values and intervals; all comparisons see the same resamples."""
    tables = {}
    for kind, raters in pairs:
        for scale in SCALES:
            table = np.stack([ratings.columns[scale][rater] for rater in raters], axis=1)
            rows = (table >= 0).sum(axis=1) > 1
            if rows.any():
                tables[kind, raters, scale] = table, rows
    drawn = {key: {name: [] for name in TITLES} for key in tables}
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // max(1, len(ratings.places)))
    if len(set(ratings.subjects.tolist())) < 2:
        resamples = 0
    for start in range(0, resamples, step):
        weights = subject_weights(ratings.subjects, min(step, resamples - start), rng)
        for key, (table, rows) in tables.items():
            values = all_statistics(table[rows], weights[:, rows], SCALES[key[2]])
            for name, value in values.items():
                drawn[key][name].append(value)
    return [
        _comparison(key, table[rows], ratings.subjects[rows], drawn[key])
        for key, (table, rows) in tables.items()
    ]


def _comparison(key, table: np.ndarray, subjects: np.ndarray, drawn) -> Comparison:
    kind, raters, scale = key
    q = SCALES[scale]
    plain = np.ones((1, len(table)))
    values = {}
    for name, (value,) in all_statistics(table, plain, q).items():
        shown = drawn[name] and not np.isnan(value) and len(set(subjects.tolist())) > 1
        low_high = limits(np.concatenate(drawn[name])) if shown else ()
        values[name] = Interval(float(value), *low_high)
    matrix = None
    if len(raters) == 2:
        matrix = confusion(table[:, 0], table[:, 1], plain, q)[0].astype(int)
    names = tuple(name for name, _ in raters)
    return Comparison(kind, names, scale, len(table), len(set(subjects.tolist())), values, matrix)


def _disagreements(ratings: _Ratings, cases: CaseList) -> list[Disagreement]:
    names = image_names(cases)
    columns = {_shown(rater): column for rater, column in ratings.columns["score"].items()}
    found = []
    for row, place in enumerate(ratings.places):
        said = {name: int(column[row]) + 1 for name, column in columns.items() if column[row] >= 0}
        if said and max(said.values()) - min(said.values()) >= FAR:
            found.append(Disagreement(names[place.case], place.slice, said))
    return sorted(found, key=lambda d: -d.difference)


def _shown(rater: Rater) -> str:
    name, reading = rater
    return f"{name} (2nd)" if reading == 1 else name
