"""Joins the adjudicator's table to the open study."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from MotionQALib.reading.adjudication import Adjudication
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.reading_errors import Hidden, ReadingError
from MotionQALib.reading.score_entry import ItemKey
from MotionQALib.reading.study_scores import NOT_YET
from MotionQALib.signals import Signal

from . import phrases
from .adjudication_view import AdjudicationView
from .case_names import CaseNames


class AdjudicationSection:
    """Begins and ends adjudicating, and keeps table, views and adjudication at the same item.

    Signals
    -------
    started(Adjudication)
    stopped()
    """

    def __init__(self, frame) -> None:
        self.started, self.stopped = Signal(), Signal()
        self.view = AdjudicationView(frame)
        self._scoring: ReaderScoring | None = None
        self._adjudication: Adjudication | None = None
        self._in_view: ItemKey | None = None
        self.view.started.connect(self._on_started)
        self.view.chosen.connect(self._on_chosen)
        self.view.settled.connect(lambda score: self._adjudication.give(score))
        self.view.unanimous.connect(lambda: self._adjudication.settle_unanimous())
        self.view.undone.connect(lambda: self._adjudication.undo())

    def open(self, scoring: ReaderScoring, names: CaseNames) -> None:
        """Of this reader's study; may be called for another."""
        self._scoring, self._names = scoring, names
        scoring.changed.connect(self._on_reader)

    def close(self) -> None:
        """The study is closed; may be called twice."""
        self._stop()
        self._scoring = None

    def may_stop(self) -> bool:
        """Whether the adjudicator lets go what could not be saved, if there is such."""
        unsaved = () if self._adjudication is None else self._adjudication.unsaved
        text = _("{count} settled scores are not saved. Stop adjudicating and lose them?")
        return not unsaved or slicer.util.confirmOkCancelDisplay(
            text.format(count=len(unsaved)), _("Scores are not saved")
        )

    def _on_started(self) -> None:
        """Begin to adjudicate; asked again, stop."""
        if self._adjudication is not None:
            if self.may_stop():
                self._stop()
            return
        session = self._scoring.session
        try:
            if not session.may_see_others and not self._only_adjudicates():
                raise Hidden(NOT_YET)
            adjudication = Adjudication(session)
        except ReadingError as error:
            self.view.say(session.blinding.error(error))
            return
        self._adjudication, self._in_view = adjudication, None
        adjudication.changed.connect(self._show)
        self.started.emit(adjudication)
        self._show()

    def _only_adjudicates(self) -> bool:
        """Whether somebody who has scored nothing will not read, but settle what others said."""
        if self._scoring.entries:
            return False
        text = _(
            "You have scored nothing in this study. Who adjudicates sees all readers' scores, and "
            "cannot be a blinded reader of it any more. Adjudicate?"
        )
        return slicer.util.confirmOkCancelDisplay(text, _("Adjudicate"))

    def _stop(self) -> None:
        if self._adjudication is not None:
            self._adjudication.close()
            self._adjudication = None
            self.stopped.emit()
        self.view.say("")
        self.view.show((), [], str)

    def _show(self) -> None:
        """Table and views follow the adjudication."""
        adjudication = self._adjudication
        self.view.show(adjudication.items, adjudication.readers, self._names.of_item)
        if adjudication.item is not None:
            self.view.select(adjudication.index)
            self._scoring.go_to_key(adjudication.item.key)
        text = _("{left} of {all} still to settle")
        text = text.format(left=adjudication.left, all=len(adjudication.items))
        if not adjudication.left:
            text = _("All are settled.")
        if adjudication.unsaved:
            text = phrases.not_saved(adjudication.problem, len(adjudication.unsaved), "")
        elif adjudication.problem:
            text = adjudication.problem
        self.view.say(text)

    def _on_chosen(self, row: int) -> None:
        if self._adjudication is not None:
            self._adjudication.go_to(row)

    def _on_reader(self) -> None:
        """Another case came into view: it is the one to settle now."""
        item = self._scoring.item
        if self._adjudication is None or item is None:
            return
        key = item.key._replace(repeat=0)
        if key != self._in_view:
            self._in_view = key
            self._adjudication.go_to_key(key)
