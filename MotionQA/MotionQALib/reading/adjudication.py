"""An adjudicator who settles what the readers said, item by item.

adjudication = Adjudication(session)          # of who adjudicates
adjudication.items, adjudication.index        # with the readers' scores; where he or she is
adjudication.give(3)                          # on disk, or in `unsaved`; then on to the next
adjudication.settle_unanimous()
adjudication.close()
"""

from __future__ import annotations

from dataclasses import replace

from ..signals import Signal
from .consensus import ConsensusItem, consensus_items, open_consensus, settle_unanimous
from .reading_errors import NotSaved
from .score_entry import ItemKey, ScoreEntry
from .scores import CONSENSUS
from .scoring import Scoring
from .session import ReadingSession
from .study_scores import StudyScores
from .unsaved_scores import UnsavedScores


class Adjudication(Scoring):
    """A `Scoring` of the consensus; see the top of this file.

    Who has not read is noted, and cannot read any more.

    Raises Hidden for a reader who still reads, and as `ScoreLog.open` does.

    Attributes
    ----------
    items : what was scored, in the order of the case list
    index : of the current one; None where nothing was scored
    readers : whose scores the items have
    """

    needs_image = False  # what the readers saw is settled, be the file lost meanwhile
    takes_details = False

    def __init__(self, session: ReadingSession) -> None:
        self.changed = Signal()
        self._session = session
        StudyScores.for_adjudicator(session)
        if not session.worklist.finished(session.log.entries):
            session.unblind()
        self._log = open_consensus(session.study, session.reader)
        self._unsaved = UnsavedScores(self._log)
        self.items: list[ConsensusItem] = []
        self.index: int | None = None
        try:
            self._read_again()
        except BaseException:
            self._log.close()
            raise

    def close(self) -> None:
        self._log.close()
        self.changed.disconnect()

    # Where the adjudicator is

    @property
    def item(self) -> ConsensusItem | None:
        return None if self.index is None else self.items[self.index]

    @property
    def readers(self) -> list[str]:
        return sorted({reader for item in self.items for reader in item.entries})

    @property
    def left(self) -> int:
        """How many are not settled."""
        return sum(item.settled is None for item in self.items)

    def go_to(self, index: int) -> None:
        if 0 <= index < len(self.items) and index != self.index:
            self.index = index
            self.changed.emit()

    def go_to_key(self, key: ItemKey) -> None:
        """Turn to an item, if somebody has scored it."""
        found = (n for n, item in enumerate(self.items) if item.key == key)
        self.go_to(next(found, -1))

    def next(self) -> bool:
        self._turn_to_open(0 if self.index is None else self.index + 1)
        self.changed.emit()
        return True  # what is left is said in any case

    def follow(self) -> bool:
        return False  # `give` goes on itself, as nothing has to be seen first

    # What is settled

    @property
    def given(self) -> ScoreEntry | None:
        item = self.item
        return None if item is None else self.unsaved.get(item.key, item.settled)

    def give(self, score: int, **details) -> None:
        """Settle the current item, after what could not be saved earlier, and go on."""
        if self.item is None:
            return
        self._unsaved.add(ScoreEntry(self.item.key, CONSENSUS, score, **details))
        self._after_saving()

    def settle_unanimous(self) -> None:
        """Settle all that the readers agree on and nobody has settled."""
        try:
            settle_unanimous(self._log, self._items_now())
        except NotSaved as error:
            self._unsaved.problem = str(error)
        else:
            self._read_again()
        self.changed.emit()

    def undo(self) -> None:
        if self.unsaved:
            self.go_to_key(self._unsaved.undo())
        else:
            key = self._unsaved.undo()
            if key is not None or not self.problem:
                self._read_again()
            if key is not None:
                self.go_to_key(key)
        self.changed.emit()

    def retry(self) -> bool:
        if self._unsaved.save():
            self._after_saving()
        else:
            self.changed.emit()
        return not self.unsaved

    def _after_saving(self) -> None:
        """Show what is on disk now, one by one: to read all again would take its time."""
        settled = self._log.entries
        for number, item in enumerate(self.items):
            if settled.get(item.key) != item.settled:
                self.items[number] = replace(item, settled=settled.get(item.key))
        if not self.unsaved:
            self._turn_to_open(self.index)
        self.changed.emit()

    def _read_again(self) -> None:
        self.items = self._items_now()
        self._turn_to_open(0)

    def _items_now(self) -> list[ConsensusItem]:
        return consensus_items(StudyScores.for_adjudicator(self._session))

    def _turn_to_open(self, start: int) -> None:
        """To the first item from this one on that is not settled, else to any that is not."""
        left = [n for n, item in enumerate(self.items) if item.settled is None]
        behind = next((n for n in left if n >= start), left[0] if left else start)
        self.index = min(behind, len(self.items) - 1) if self.items else None
