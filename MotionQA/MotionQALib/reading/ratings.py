"""All ratings of a study as columns of numbers, ready to be compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..scale import GRADE_OF_SCORE
from .blinding import of_logs
from .case_list import CaseList
from .export_names import export_subjects
from .network_grades import NetworkGrades
from .score_entry import LABELS, ItemKey, ScoreEntry
from .scores import NETWORK, Scores

Rater = tuple[str, int]
"""A reader and the reading, from 0; the network has reading -1, so that no name is taken."""

NETWORK_RATER: Rater = (NETWORK, -1)


class Ratings:
    """Columns of ratings: rater -> (n,) scores, and grades, from 0; -1 for none."""

    def __init__(self, cases: CaseList, everyone: Sequence[Scores], network: NetworkGrades) -> None:
        known = {key for scores in everyone for key in scores.entries}
        order = {case.key: number for number, case in enumerate(cases.cases)}
        kept = {key._replace(repeat=0) for key in known if key.case in order}
        self.keys = sorted(kept, key=lambda p: (order[p.case], -1 if p.slice is None else p.slice))
        lost = {key.case for key in known} - set(order)
        self.remarks = [
            of_logs(f"{len(lost)} scored images are not in the list of cases; they are left out.")
        ] * bool(lost)
        subjects = export_subjects(cases)
        self.subjects = np.array([subjects[key.case] for key in self.keys], dtype=str)
        self.columns: dict[str, dict[Rater, np.ndarray]] = {"score": {}, "grade": {}}
        for scores in everyone:
            for repeat in sorted({key.repeat for key in scores.entries}):
                said = [scores.entries.get(p._replace(repeat=repeat)) for p in self.keys]
                self._add((scores.reader, repeat), list(map(_numbers, said)))
        graded = [_graded(network, key) for key in self.keys]
        if network.assessments:
            self._add(NETWORK_RATER, graded)

    def _add(self, rater: Rater, numbers: Sequence[tuple[int, int]]) -> None:
        values = np.array(numbers, dtype=np.int64).reshape(-1, 2)
        self.columns["score"][rater], self.columns["grade"][rater] = values.T


def _numbers(entry: ScoreEntry | None) -> tuple[int, int]:
    """Score and grade from 0, -1 for none."""
    if entry is None:
        return -1, -1
    return -1 if entry.score is None else entry.score - 1, LABELS.index(entry.grade)


def _graded(network: NetworkGrades, key: ItemKey) -> tuple[int, int]:
    score = network.score_of(key)
    return (-1, -1) if score is None else (score - 1, int(GRADE_OF_SCORE[score - 1]) - 1)
