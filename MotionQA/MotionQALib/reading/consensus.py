"""What the readers' scores come to: an adjudicator settles each case, in one more log.

items = consensus_items(scores)             # each with its readers' scores side by side
with open_consensus(study, "prof") as log:
    settle_unanimous(log, items)            # where all readers agree, if that is wanted
    settle(log, items[0], 3, comment="…")
    log.undo()
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .cases import Case
from .score_entry import ItemKey, ScoreEntry
from .scores import CONSENSUS, ScoreLog, file_name
from .study import Study
from .study_scores import StudyScores


@dataclass(frozen=True)
class ConsensusItem:
    """An item of the worklist and what was said of it.

    Parameters
    ----------
    entries : of each reader, by name; first readings only
    settled : the adjudicator's word, or None
    """

    key: ItemKey
    case: Case | None
    entries: dict[str, ScoreEntry]
    settled: ScoreEntry | None

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


def consensus_items(scores: StudyScores) -> list[ConsensusItem]:
    """Every item that somebody scored, in the order of the case list."""
    cases = scores.cases
    order = {case.key: number for number, case in enumerate(cases.cases)}
    settled = scores.consensus.entries
    said: dict[ItemKey, dict[str, ScoreEntry]] = {}
    for one in scores.readers:
        for key, entry in one.entries.items():
            if key.repeat == 0:
                said.setdefault(key, {})[one.reader] = entry
    keys = sorted(said, key=lambda p: (order.get(p.case, len(order)), p.case, p.slice or 0))
    return [ConsensusItem(p, cases.get(p.case), said[p], settled.get(p)) for p in keys]


def open_consensus(study: Study, adjudicator: str) -> ConsensusLog:
    """Open the consensus for writing; raises as `ScoreLog.open` does."""
    file_name(adjudicator)  # refuses what is no name
    return ConsensusLog(study, adjudicator)


class ConsensusLog(ScoreLog):
    """The log of what was settled, and by whom."""

    def __init__(self, study: Study, adjudicator: str) -> None:
        super().__init__(study.scores_folder / f"{CONSENSUS}.jsonl", CONSENSUS)
        self.adjudicator = adjudicator

    def add(self, entry: ScoreEntry) -> ScoreEntry:
        return super().add(replace(entry, adjudicator=self.adjudicator))


def settle(
    log: ConsensusLog, item: ConsensusItem, score: int | None = None, **details
) -> ScoreEntry:
    """Save the adjudicator's word; `details` as in `ScoreLog.save`."""
    return log.save(item.key, score, **details)


def settle_unanimous(log: ConsensusLog, items: Iterable[ConsensusItem]) -> int:
    """Settle what all readers agree on and nobody has settled; how many those were."""
    count = 0
    for item in items:
        if item.unanimous and item.key not in log.entries:
            entry = next(iter(item.entries.values()))
            log.save(item.key, entry.score, grade=entry.grade)
            count += 1
    return count
