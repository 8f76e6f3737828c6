"""Joins the buttons for tables and saved scores to the open study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slicer.i18n import tr as _

from MotionQALib.reading import score_exports
from MotionQALib.reading.errors import ReadingError
from MotionQALib.reading.label_import import import_labels
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.scores import CONSENSUS, import_rescued
from MotionQALib.signals import Signal

from . import phrases
from .files_view import FilesView


class FilesSection:
    """Writes what was scored, and takes scores in.

    Signals
    -------
    taken() : scores came into the reader's log
    """

    def __init__(self, frame) -> None:
        self.taken = Signal()
        self.view = FilesView(frame)
        self._scoring: ReaderScoring | None = None
        self.view.import_labels.connect(self._on_import)
        self.view.take_back.connect(self._on_take_back)
        self.view.export_long.connect(self._exporting(self._export_long))
        labels, grades = score_exports.export_labels, score_exports.export_grades
        self.view.export_labels.connect(self._exporting(lambda path: self._export(labels, path)))
        self.view.export_grades.connect(self._exporting(lambda path: self._export(grades, path)))

    def open(self, scoring: ReaderScoring) -> None:
        """Of this reader's study; may be called for another."""
        self._scoring = scoring

    def close(self) -> None:
        """The study is closed; may be called twice."""
        self._scoring = None
        self.say("")

    def say(self, sentence: str) -> None:
        self.view.say(sentence)

    def _exporting(self, export: Callable[[Path], int]) -> Callable[[Path], None]:
        def run(path: Path) -> None:
            try:
                rows = export(path)
            except ReadingError as error:
                self.say(str(error))
            else:
                self.say(_("{rows} rows written to {file}").format(rows=rows, file=path))

        return run

    def _export_long(self, path: Path) -> int:
        return score_exports.export_long(self._scoring.session.study, path)

    def _export(self, write: Callable, path: Path) -> int:
        """The consensus where there is one, else the reader's own scores."""
        session = self._scoring.session
        settled = (session.study.scores_folder / f"{CONSENSUS}.jsonl").is_file()
        return write(session.study, CONSENSUS if settled else session.reader, path)

    def _on_import(self, path: Path) -> None:
        session = self._scoring.session
        try:
            count, remarks = import_labels(session.study, session.log, path)
        except ReadingError as error:
            self.say(str(error))
            return
        text = _("{count} labels were taken.")
        said = phrases.problems(remarks, blinded=session.study.blinded)
        self.say(" ".join((text.format(count=count), *said)))
        self.taken.emit()

    def _on_take_back(self, path: Path) -> None:
        try:
            keys = import_rescued(self._scoring.session.log, path)
        except ReadingError as error:
            self.say(str(error))
            return
        self.say(_("{count} scores were taken back.").format(count=len(keys)))
        self.taken.emit()
