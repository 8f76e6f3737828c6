"""What the readers' scores come to: an adjudicator settles each case, in one more log.

dockets = dockets_of(study)                 # each place with its readers' scores side by side
with open_consensus(study, "prof") as log:
    settle_unanimous(log, dockets)          # where all readers agree, if that is wanted
    settle(log, docket, 3, comment="…")
    log.undo()
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .case_list import CaseList
from .cases import Case
from .entry import Entry, Place
from .scores import CONSENSUS, ScoreLog, all_scores, file_name, read_scores
from .study import Study


@dataclass(frozen=True)
class Docket:
    """One place and what was said of it.

    Parameters
    ----------
    entries : of each reader, by name; first readings only
    settled : the adjudicator's word, or None
    """

    place: Place
    case: Case | None
    entries: dict[str, Entry]
    settled: Entry | None

    @property
    def unanimous(self) -> bool:
        """Whether at least two readers scored it, and all the same."""
        said = {(entry.score, entry.grade) for entry in self.entries.values()}
        return len(self.entries) > 1 and len(said) == 1

    @property
    def spread(self) -> int:
        """The largest difference of two readers' scores; 0 where fewer than two gave one."""
        scores = [entry.score for entry in self.entries.values() if entry.score is not None]
        return max(scores) - min(scores) if scores else 0


def dockets_of(study: Study) -> list[Docket]:
    """Every place that somebody scored, in the order of the case list."""
    cases = CaseList(study)
    order = {case.key: number for number, case in enumerate(cases.cases)}
    settled = read_scores(study.scores_folder / f"{CONSENSUS}.jsonl").entries
    said: dict[Place, dict[str, Entry]] = {}
    for scores in all_scores(study):
        for place, entry in scores.entries.items():
            if place.repeat == 0:
                said.setdefault(place, {})[scores.reader] = entry
    places = sorted(said, key=lambda p: (order.get(p.case, len(order)), p.case, p.slice or 0))
    return [Docket(p, cases.get(p.case), said[p], settled.get(p)) for p in places]


def open_consensus(study: Study, adjudicator: str) -> ConsensusLog:
    """Open the consensus for writing; raises as `ScoreLog.open` does."""
    file_name(adjudicator)  # refuses what is no name
    return ConsensusLog(study, adjudicator)


class ConsensusLog(ScoreLog):
    """The log of what was settled, and by whom."""

    def __init__(self, study: Study, adjudicator: str) -> None:
        super().__init__(study.scores_folder / f"{CONSENSUS}.jsonl", CONSENSUS)
        self.adjudicator = adjudicator

    def add(self, entry: Entry) -> Entry:
        return super().add(replace(entry, adjudicator=self.adjudicator))


def settle(log: ConsensusLog, docket: Docket, score: int | None = None, **details) -> Entry:
    """Save the adjudicator's word; `details` as in `ScoreLog.save`."""
    return log.save(docket.place, score, **details)


def settle_unanimous(log: ConsensusLog, dockets: Iterable[Docket]) -> int:
    """Settle what all readers agree on and nobody has settled; how many those were."""
    count = 0
    for docket in dockets:
        if docket.unanimous and docket.place not in log.entries:
            entry = next(iter(docket.entries.values()))
            log.save(docket.place, entry.score, grade=entry.grade)
            count += 1
    return count
