"""The reader's desk: the session of the library, and what could not be saved yet.

    desk = Desk(ReadingSession(Study.open(folder), "anna"))
    desk.go_to_visit(desk.next_visit)
    desk.give(4, confidence=3)    # on disk, or in `unsaved` with `problem` saying why
    desk.undo()
    desk.close()

Knows nothing of widgets and views; `changed` tells when another place or another score is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from MotionQALib.reading.entry import Entry, Place
from MotionQALib.reading.errors import NotSaved, ReadingError
from MotionQALib.reading.reading_list import Item, Progress
from MotionQALib.reading.scores import rescue
from MotionQALib.reading.session import ReadingSession

from ..signals import Signal


class Desk:
    """See the top of this file.

    Signals
    -------
    changed() : another place, another score, or another problem

    Attributes
    ----------
    session : the library's
    visits : the items of each case in the list; of a repeated one, once more
    pending : remarks on what has no score yet, by place; they are saved with it
    unsaved : scores that are not on disk in the study, by place; they stay until they are
    problem : why, in a sentence; "" where nothing is wrong
    last : what was saved last and still stands; None at first
    """

    def __init__(self, session: ReadingSession) -> None:
        self.changed = Signal()
        self.session = session
        self.visits: Sequence[Sequence[Item]] = ()
        self.pending: dict[Place, Mapping[str, object]] = {}
        self.unsaved: dict[Place, Entry] = {}
        self.problem = ""
        self.last: Entry | None = None
        self.rebuild()

    def rebuild(self, uncertainties: Mapping[str, float] | None = None) -> None:
        """Take up cases that were added, or another order; the reader stays where he or she is."""
        if uncertainties is not None or self.visits:
            self.session.cases.reload()
            self.session.rebuild(uncertainties)
        items = self.session.list.items
        self.visits = [list(same) for _, same in groupby(items, key=lambda item: item.number)]
        self.changed.emit()

    def close(self) -> None:
        """Let other sessions write; may be called twice."""
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
    def visit(self) -> int | None:
        """Which of `visits` is read."""
        return None if self.item is None else self.item.number - 1

    @property
    def next_visit(self) -> int | None:
        """Where an unscored item waits, behind this case first; None when all are scored.

        For a case that could not be read, nobody waits.
        """
        entries, first = self.entries, -1 if self.visit is None else self.visit
        behind = [*range(first + 1, len(self.visits)), *range(first + 1)]
        readable = (n for n in behind if self.is_readable(n))
        unscored = (n for n in readable if any(i.place not in entries for i in self.visits[n]))
        return next(unscored, None)

    def is_readable(self, visit: int) -> bool:
        """Whether a case could be shown, as far as the reader has turned to it."""
        return self.visits[visit][0].case.key not in self.session.unreadable

    def go_to_visit(self, visit: int | None) -> None:
        """Turn to a case: to its first slice without a score, else its first; None stays."""
        if visit is None or not 0 <= visit < len(self.visits):
            return
        items, entries = self.visits[visit], self.entries
        self.go_to(next((item for item in items if item.place not in entries), items[0]))

    def go_to(self, item: Item) -> None:
        index = self.session.list.index_of(item.place)
        if index is None or index == self.session.index:
            return
        if item.number - 1 == self.visit:
            self.session.index = index  # the clock runs on while the reader scrolls
        else:
            self.session.go(index)
        self.changed.emit()

    def go_to_slice(self, index: int | None) -> None:
        """The reader scrolled within the case."""
        if self.per_slice and index is not None and self.visit is not None:
            items = self.visits[self.visit]
            if index < len(items):
                self.go_to(items[index])

    @property
    def next_slice(self) -> Item | None:
        """The slice of this case that waits for a score next; None when all have one."""
        if self.item is None:
            return None
        items, entries = self.visits[self.visit], self.entries
        here = items.index(self.item)
        behind = [*items[here + 1 :], *items[:here]]
        return next((item for item in behind if item.place not in entries), None)

    # What is scored

    @property
    def entries(self) -> Mapping[Place, Entry]:
        """What stands, saved or not."""
        saved = self.session.log.entries
        return {**saved, **self.unsaved} if self.unsaved else saved

    @property
    def given(self) -> Entry | None:
        """The entry of the current item."""
        return None if self.item is None else self.entries.get(self.item.place)

    @property
    def progress(self) -> Progress:
        return self.session.list.progress(self.entries, self.session.unreadable)

    def scores_of(self, visit: int) -> list[int | None]:
        """The score of each item of a visit."""
        entries = self.entries
        found = (entries.get(item.place) for item in self.visits[visit])
        return [None if entry is None else entry.score for entry in found]

    def give(self, score: int, **remarks) -> None:
        """Score the current item; remarks are further fields of `Entry`."""
        if self.item is not None:
            self.session.clock.touch()
            seconds = self.session.clock.seconds
            place, reader = self.item.place, self.session.log.reader
            self.pending.pop(place, None)
            self._add(Entry(place, reader, score, seconds=seconds, **remarks))

    def remark(self, **remarks) -> None:
        """Say more of a score that was given; where there is none yet, it waits for one."""
        entry = self.given
        if entry is None and self.item is not None:
            self.pending.pop(self.item.place, None)
            if any(remarks.values()):
                self.pending[self.item.place] = remarks
        elif entry is not None:
            seconds = (entry.seconds or 0.0) + self.session.clock.seconds
            self._add(replace(entry, seconds=seconds, time="", undo=False, **remarks))

    def undo(self) -> None:
        """Take the last score back and turn to it."""
        self.last = None
        if self.unsaved:
            place = self.unsaved.popitem()[0]
            index = self.session.list.index_of(place)
            self.problem = self.problem if self.unsaved else ""
        else:
            try:
                index, self.problem = self.session.undo(), ""
            except NotSaved as error:
                index, self.problem = None, str(error)
        if index is None or index == self.session.index:
            self.changed.emit()
        else:
            self.go_to(self.session.list.items[index])

    # What could not be saved

    def retry(self) -> bool:
        """Try to save what is not saved; whether all is."""
        try:
            for place, entry in list(self.unsaved.items()):
                self.last = self.session.log.add(entry)
                del self.unsaved[place]
            self.problem = ""
        except NotSaved as error:
            self.problem = str(error)
        self.changed.emit()
        return not self.unsaved

    def save_elsewhere(self, folder: str | Path) -> Path | None:
        """Write what is not saved to another folder; the file, or None with `problem`.

        It stays in `unsaved`: the study still lacks it.
        """
        path = None
        try:
            for entry in self.unsaved.values():
                path = rescue(entry, folder)
        except ReadingError as error:
            self.problem, path = str(error), None
        self.changed.emit()
        return path

    def beat(self) -> None:
        """Tell other machines that this session lives; call it once a minute."""
        try:
            self.session.beat()
            problem = self.problem if self.unsaved else ""
        except NotSaved as error:
            problem = str(error)
        if problem != self.problem:
            self.problem = problem
            self.changed.emit()

    def _add(self, entry: Entry) -> None:
        """Save an entry, after what could not be saved earlier."""
        self.unsaved.pop(entry.place, None)
        self.unsaved[entry.place] = entry
        self.session.clock.start()
        self.retry()
