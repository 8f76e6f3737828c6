"""Joins the table of the readers' agreement to the open study."""

from __future__ import annotations

from MotionQALib.reading.agreement import agreement
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.reading_errors import ReadingError
from MotionQALib.reading.score_entry import ItemKey
from MotionQALib.reading.study_scores import StudyScores

from .agreement_view import AgreementView
from .case_names import CaseNames
from .network_grade import NetworkGrade


class AgreementSection:
    """Compares the readers when the reader may know, and turns to what they disagree on."""

    def __init__(self, frame, network: NetworkGrade) -> None:
        self.view = AgreementView(frame)
        self._network = network
        self._scoring: ReaderScoring | None = None
        self.view.asked.connect(self.compare)
        self.view.chosen.connect(self._on_chosen)

    def open(self, scoring: ReaderScoring, names: CaseNames) -> None:
        """Of this reader's study; may be called for another."""
        self._scoring, self._names = scoring, names
        scoring.changed.connect(self._on_scoring)

    def close(self) -> None:
        """The study is closed; may be called twice."""
        self._scoring = None
        self.view.show(None)

    def compare(self) -> None:
        """Compute and show the readers' agreement, if the reader may see it."""
        session = self._scoring.session
        try:
            report = agreement(StudyScores.for_reader(session), network=self._network.known)
        except ReadingError as error:
            self.view.show(None, session.blinding.error(error))
        else:
            self.view.show(report, name_of=self._names.of_case)

    def _on_scoring(self) -> None:
        """Who takes a score back has not finished any more."""
        if self.view.report is not None and not self._scoring.session.may_see_others:
            self.view.show(None)

    def _on_chosen(self, disagreement) -> None:
        self._scoring.go_to_key(ItemKey(disagreement.case, disagreement.slice))
