"""A reader who scores a worklist: where he or she is, what was given, what is not saved yet.

    scoring = ReaderScoring(ReadingSession(Study.open(folder), "anna"))
    scoring.go_to_reading(scoring.next_reading)
    scoring.give(4, confidence=3)    # on disk, or in `unsaved` with `problem` saying why
    scoring.undo()
    scoring.close()

Knows nothing of widgets and views; `changed` tells when another item or another score is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..signals import Signal
from .reading_errors import ReadingError
from .score_entry import ItemKey, ScoreEntry
from .scores import rescue
from .scoring import Scoring
from .session import ReadingSession
from .unsaved_scores import UnsavedScores
from .worklist import Item, ReadingProgress

UNBLINDED = (
    "You have seen the readers' scores to adjudicate them, so your own would not be independent: "
    "nothing was saved."
)


class ReaderScoring(Scoring):
    """A `Scoring`; see the top of this file.

    Attributes
    ----------
    session : the study, its worklist and the reader's log
    drafts : details of what has no score yet, by item; they are saved with it
    """

    needs_image = True
    takes_details = True

    def __init__(self, session: ReadingSession) -> None:
        self.changed = Signal()
        self.session = session
        self.drafts: dict[ItemKey, Mapping[str, object]] = {}
        self._unsaved = UnsavedScores(session.log)

    def rebuild(self, uncertainties: Mapping[str, float] | None = None) -> None:
        """Take up cases that were added, or another order; the reader stays where he or she is."""
        self.session.cases.reload()
        self.session.rebuild(uncertainties)
        self.changed.emit()

    def close(self) -> None:
        self.session.close()
        self.changed.disconnect()

    @property
    def per_slice(self) -> bool:
        return self.session.study.level == "slice"

    # Where the reader is

    @property
    def item(self) -> Item | None:
        return self.session.item

    @property
    def readings(self) -> Sequence[Sequence[Item]]:
        """The items of each case in the list; of one that comes back, once more."""
        return self.session.worklist.readings

    @property
    def reading(self) -> int | None:
        """Which of `readings` the reader is at."""
        return None if self.item is None else self.item.number - 1

    @property
    def next_reading(self) -> int | None:
        """Where an unscored item waits, behind this case first; None when all are scored.

        For a case that could not be read, nobody waits.
        """
        entries, first = self.entries, -1 if self.reading is None else self.reading
        behind = [*range(first + 1, len(self.readings)), *range(first + 1)]
        readable = (n for n in behind if self.is_readable(n))
        unscored = (n for n in readable if any(i.key not in entries for i in self.readings[n]))
        return next(unscored, None)

    def is_readable(self, reading: int) -> bool:
        """Whether a case could be shown, as far as the reader has turned to it."""
        return self.readings[reading][0].case.key not in self.session.unreadable

    def go_to_reading(self, reading: int | None) -> None:
        """Turn to a case: to its first slice without a score, else its first; None stays."""
        if reading is None or not 0 <= reading < len(self.readings):
            return
        items, entries = self.readings[reading], self.entries
        self.go_to(next((item for item in items if item.key not in entries), items[0]))

    def go_to(self, item: Item) -> None:
        index = self.session.worklist.index_of(item.key)
        if index is None or index == self.session.index:
            return
        if item.number - 1 == self.reading:
            self.session.index = index  # the clock runs on while the reader scrolls
        else:
            self.session.go(index)
        self.changed.emit()

    def go_to_key(self, key: ItemKey) -> None:
        """Turn to an item of the worklist; stay where there is none."""
        index = self.session.worklist.index_of(key)
        if index is not None:
            self.go_to(self.session.worklist.items[index])

    def go_to_slice(self, index: int | None) -> None:
        """The reader scrolled within the case."""
        if self.per_slice and index is not None and self.reading is not None:
            items = self.readings[self.reading]
            if index < len(items):
                self.go_to(items[index])

    @property
    def next_slice(self) -> Item | None:
        """The slice of this case that waits for a score next; None when all have one."""
        if self.item is None:
            return None
        items, entries = self.readings[self.reading], self.entries
        here = items.index(self.item)
        behind = [*items[here + 1 :], *items[:here]]
        return next((item for item in behind if item.key not in entries), None)

    def next(self) -> bool:
        """On to a slice of this case that waits for a score, else to the next case."""
        here, reading = self.next_slice if self.per_slice else None, self.next_reading
        if here is not None:
            self.go_to(here)
        else:
            self.go_to_reading(reading)
        return here is not None or reading is not None

    def follow(self) -> bool:
        """On to the next slice of this case, or where cases are scored, to the next case."""
        before = self.session.index
        if not self.per_slice:
            self.go_to_reading(self.next_reading)
        elif self.next_slice is not None:
            self.go_to(self.next_slice)
        return self.session.index != before

    # What is scored

    @property
    def last(self) -> ScoreEntry | None:
        """What was saved last and still stands; None at first."""
        return self._unsaved.last

    @property
    def entries(self) -> Mapping[ItemKey, ScoreEntry]:
        """What stands, saved or not."""
        saved = self.session.log.entries
        return {**saved, **self.unsaved} if self.unsaved else saved

    @property
    def given(self) -> ScoreEntry | None:
        return None if self.item is None else self.entries.get(self.item.key)

    @property
    def progress(self) -> ReadingProgress:
        session = self.session
        return session.worklist.progress(self.entries, session.unreadable, session.log.latest)

    def scores_of(self, reading: int) -> list[int | None]:
        """The score of each item of a reading."""
        entries = self.entries
        found = (entries.get(item.key) for item in self.readings[reading])
        return [None if entry is None else entry.score for entry in found]

    def give(self, score: int, **details) -> None:
        if self.session.unblinded and not self.session.finished:
            self._unsaved.problem = UNBLINDED
            self.changed.emit()
        elif self.item is not None:
            self.session.clock.touch()
            key, seconds = self.item.key, self.session.clock.seconds
            self.drafts.pop(key, None)
            self._add(ScoreEntry(key, self.session.log.reader, score, seconds=seconds, **details))

    def describe(self, **details) -> None:
        """Say more of a score that was given; where there is none yet, it waits for one."""
        entry = self.given
        if entry is None and self.item is not None:
            self.drafts.pop(self.item.key, None)
            if any(details.values()):
                self.drafts[self.item.key] = details
        elif entry is not None:
            seconds = (entry.seconds or 0.0) + self.session.clock.seconds
            self._add(replace(entry, seconds=seconds, time="", undo=False, **details))

    def undo(self) -> None:
        key = self._unsaved.undo()
        index = None if key is None else self.session.worklist.index_of(key)
        if index is None or index == self.session.index:
            self.changed.emit()
        else:
            self.go_to(self.session.worklist.items[index])

    # What could not be saved

    def retry(self) -> bool:
        saved = self._unsaved.save()
        self.changed.emit()
        return saved

    def save_elsewhere(self, folder: str | Path) -> Path | None:
        """Write what is not saved to another folder; the file, or None with `problem`.

        It stays in `unsaved`: the study still lacks it.
        """
        path = None
        try:
            for entry in self.unsaved.values():
                path = rescue(entry, folder)
        except ReadingError as error:
            self._unsaved.problem, path = str(error), None
        self.changed.emit()
        return path

    def _add(self, entry: ScoreEntry) -> None:
        self.session.clock.start()
        self._unsaved.add(entry)
        self.changed.emit()
