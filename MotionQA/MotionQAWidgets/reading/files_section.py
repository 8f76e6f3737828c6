"""Joins the buttons for tables and saved scores to the open study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from slicer.i18n import tr as _

from MotionQALib.reading import score_exports
from MotionQALib.reading.label_import import import_labels
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.reading_errors import ReadingError
from MotionQALib.reading.score_exports import Exported
from MotionQALib.reading.scores import CONSENSUS, import_rescued
from MotionQALib.reading.study_scores import StudyScores
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

    def _exporting(self, export: Callable[[Path], Exported]) -> Callable[[Path], None]:
        def run(path: Path) -> None:
            try:
                rows, remarks = export(path)
            except ReadingError as error:
                self._say_error(error)
            else:
                text = _("{rows} rows written to {file}").format(rows=rows, file=path)
                self._tell(text, remarks)

        return run

    def _export_long(self, path: Path) -> Exported:
        return score_exports.export_long(StudyScores.for_reader(self._scoring.session), path)

    def _export(self, write: Callable[..., Exported], path: Path) -> Exported:
        """The consensus where there is one that may be seen, else the reader's own scores."""
        session = self._scoring.session
        if session.may_see_others:
            scores = StudyScores.for_reader(session)
            if scores.consensus.entries:
                return write(scores, CONSENSUS, path)
        return write(StudyScores.of_reader(session), session.reader, path)

    def _tell(self, text: str, remarks: Sequence[str]) -> None:
        blinding = self._scoring.session.blinding
        told = phrases.told(remarks, blinding)
        self.say(f"{text} {told}".strip())

    def _say_error(self, error: ReadingError) -> None:
        self.say(self._scoring.session.blinding.error(error))

    def _on_import(self, path: Path) -> None:
        session = self._scoring.session
        try:
            count, remarks = import_labels(session.study, session.log, path)
        except ReadingError as error:
            self._say_error(error)
            return
        self._tell(_("{count} labels were taken.").format(count=count), remarks)
        self.taken.emit()

    def _on_take_back(self, path: Path) -> None:
        try:
            keys = import_rescued(self._scoring.session.log, path)
        except ReadingError as error:
            self._say_error(error)
            return
        self.say(_("{count} scores were taken back.").format(count=len(keys)))
        self.taken.emit()
