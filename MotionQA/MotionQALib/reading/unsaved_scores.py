"""Scores on their way to the disk: kept until they are there, in the order of their giving."""

from __future__ import annotations

from dataclasses import replace

from .reading_errors import NotSaved
from .score_entry import ItemKey, ScoreEntry
from .scores import ScoreLog


class UnsavedScores:
    """What a log lacks yet.

    Attributes
    ----------
    entries : by item, the last given comes last
    problem : why they are not saved, in a sentence; "" where nothing is wrong
    last : what was saved last and still stands; None at first
    """

    def __init__(self, log: ScoreLog) -> None:
        self._log = log
        self.entries: dict[ItemKey, ScoreEntry] = {}
        self.problem = ""
        self.last: ScoreEntry | None = None

    def add(self, entry: ScoreEntry) -> bool:
        """Save an entry, after what could not be saved earlier; whether all is saved."""
        self.entries.pop(entry.key, None)
        self.entries[entry.key] = replace(entry, after=len(self._log))
        return self.save()

    def save(self) -> bool:
        """Try to save all; whether that went well."""
        try:
            for key, entry in list(self.entries.items()):
                self.last = self._log.add(entry)
                del self.entries[key]
            self.problem = ""
        except NotSaved as error:
            self.problem = str(error)
        return not self.entries

    def undo(self) -> ItemKey | None:
        """Take the last score back, saved or not: its item; None if there is none or it failed."""
        self.last, key = None, None
        if self.entries:
            key = self.entries.popitem()[0]
            self.problem = self.problem if self.entries else ""
            return key
        try:
            key, self.problem = self._log.undo(), ""
        except NotSaved as error:
            self.problem = str(error)
        return key

    def beat(self) -> bool:
        """Tell other machines that the session lives; whether `problem` is another one now."""
        before = self.problem
        try:
            self._log.beat()
            self.problem = before if self.entries else ""
        except NotSaved as error:
            self.problem = str(error)
        return self.problem != before
