"""New images in Slicer's DICOM database, found without keeping the window waiting.

Slicer's DICOM listener and its import write through a database of their own, in another thread:
`slicer.dicomDatabase` then tells no series and no instance, only that its file has changed, and on
a network drive not even that. So each signal is taken as a hint to look, and now and then it looks
unasked. A look asks for a little at a time: a database may hold thousands of studies. It asks the
database alone; the process that grades opens the files.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import qt
import slicer

from MotionQALib.signals import Signal

HINTS = ("databaseChanged", "seriesAdded", "instanceAdded", "opened", "closed")
"""Signals of ctkDICOMDatabase after which there may be something new."""

SOON, UNASKED = 300, 5000
"""Milliseconds until a look that a signal asked for, and between those that nothing asked for."""

TURN = 0.004
"""Seconds that a look may take of one turn of the event loop."""

REST = 5
"""A look follows the last one after so many times the time that it took, at least."""


class DatabaseWatch:
    """Tells the files of series that came into the database.

    Parameters
    ----------
    since : milliseconds since 1970; series that were inserted before are passed over, but for those
        that come while it watches: the computer's clock may have been set

    Signals
    -------
    images_found(list) : paths of files that are new; those of a series come together
    directory_changed(str) : another database was opened, empty where none is open; then nothing is
        found until `go_on_after` says what is known there
    """

    def __init__(self, since: int = 0) -> None:
        self.images_found, self.directory_changed = Signal(), Signal()
        self._since = since
        self._known: Mapping[str, int] | None = None
        self._told: dict[str, set[str]] = {}
        self._passed_over: set[str] = set()
        self._there: set[str] | None = None  # series that were there at the first look
        self._look: Iterator[None] | None = None
        self._look_again = False
        self._database = None
        self._directory: str | None = None
        self._spent = 0.0
        self._soon, self._unasked, self._turn = qt.QTimer(), qt.QTimer(), qt.QTimer()
        self._soon.interval, self._unasked.interval, self._turn.interval = SOON, UNASKED, 0
        self._soon.timeout.connect(self._begin)
        self._unasked.timeout.connect(self._on_hint)
        self._turn.timeout.connect(self._go_on)

    def start(self) -> None:
        """Look now, and whenever something may have come."""
        self._unasked.start()
        self._on_hint()

    def stop(self) -> None:
        """Look no more; nothing is left connected."""
        for timer in (self._soon, self._unasked, self._turn):
            timer.stop()
        self._look = None
        self._follow(None)

    def go_on_after(self, known: Mapping[str, int]) -> None:
        """Tell what there is but series with so many images, which were told to somebody before."""
        self._known = known
        self._told.clear()
        self._passed_over.clear()
        self._on_hint()

    @property
    def directory(self) -> str:
        """Of the database that is open; empty where none is, or one in memory."""
        return _directory_of(_database())

    @property
    def looked_through(self) -> bool:
        """Whether all of the database that is open was looked at once."""
        return self._there is not None

    def files_of(self, series: str) -> list[str]:
        """The series' files in the database that is open now."""
        database = _database()
        return [] if database is None else [str(f) for f in database.filesForSeries(series)]

    # When to look

    def _on_hint(self, *_args) -> None:
        if not self._soon.active:
            self._soon.interval = max(SOON, round(1000 * REST * self._spent))
            self._soon.start()

    def _begin(self, *_args) -> None:
        self._soon.stop()
        if self._look is not None:
            self._look_again = True
            return
        database = _database()
        self._follow(database)
        directory = _directory_of(database)
        if directory != self._directory:
            self._directory, self._known, self._there = directory, None, None
            self.directory_changed.emit(directory)
        if directory and self._known is not None:
            self._spent = 0.0
            self._look = self._new_images(database)
            self._turn.start()

    def _go_on(self, *_args) -> None:
        began = time.perf_counter()
        for _step in self._look or ():
            if time.perf_counter() - began > TURN:
                self._spent += time.perf_counter() - began
                return
        self._spent += time.perf_counter() - began
        self._turn.stop()
        self._look = None
        if self._look_again:
            self._look_again = False
            self._on_hint()

    def _follow(self, database) -> None:
        """Hear the signals of this database, and of no other."""
        if database is self._database:
            return
        for known, connect in ((self._database, False), (database, True)):
            for name in HINTS if known is not None else ():
                signal = getattr(known, name)
                (signal.connect if connect else signal.disconnect)(self._on_hint)
        self._database = database

    # A look

    def _new_images(self, database) -> Iterator[None]:
        """Tell what is new, the last patients first; pauses after each question."""
        there: set[str] = set()
        for patient in reversed(list(database.patients())):
            yield
            for study in reversed(list(database.studiesForPatient(patient))):
                yield
                for series in map(str, reversed(list(database.seriesForStudy(study)))):
                    there.add(series)
                    if series not in self._passed_over:
                        self._look_at(database, series)
                        yield
        if self._there is None:
            self._there = there

    def _look_at(self, database, series: str) -> None:
        if series not in self._told and not self._is_wanted(database, series):
            self._passed_over.add(series)
            return
        files = [str(file) for file in database.filesForSeries(series)]
        told = self._told.setdefault(series, set())
        if not told and len(files) == self._known.get(series):
            told.update(files)  # graded before Slicer was closed
        new = [file for file in files if file not in told]
        if new:
            told.update(new)
            self.images_found.emit(new)

    def _is_wanted(self, database, series: str) -> bool:
        if self._there is None or series in self._there:
            inserted = database.insertDateTimeForSeries(series)
            if inserted.isValid() and inserted.toMSecsSinceEpoch() < self._since:
                return False
        # Out of the database: `fileValue` would open a file, which may lie on a share that hangs.
        return str(database.fieldForSeries("Modality", series)) in ("MR", "")


def _database():
    """Slicer's database where one is open; the module DICOM may be switched off."""
    database = getattr(slicer, "dicomDatabase", None)
    return database if database is not None and database.isOpen else None


def _directory_of(database) -> str:
    return "" if database is None or database.isInMemory else str(database.databaseDirectory)
