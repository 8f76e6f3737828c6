"""Where the reading is done: what keys and buttons do, and what follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import qt
from slicer.i18n import tr as _

from MotionQALib.reading.adjudication import Adjudication
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.scoring import Scoring
from MotionQALib.scale import SCORES

from .activity_watch import ActivityWatch
from .adjudication_words import AdjudicationWords
from .case_names import CaseNames
from .network_grade import NetworkGrade
from .scoring_display import ScoringDisplay
from .shortcuts import Shortcuts
from .shown_case import ShownCase

ADVANCE = 400
"""Milliseconds that a grade is seen before the next image comes by itself."""

LOOK = 0.15
"""Seconds that an image must be in view before a score is for it: loading holds keys up, and what
was pressed meanwhile was meant for the image before."""

BEAT = 60_000
"""Milliseconds between two signs of life to other machines."""


class ScoringPanel:
    """The widgets of the reading frame, at the service of whoever gives scores.

    Between `leave` and `enter` no key acts, and no timer runs but the session's heartbeat.

    Attributes
    ----------
    scoring, shown : the reader's scores and the case in view; None where no study is open
    """

    def __init__(self, ui, network: NetworkGrade) -> None:
        self.ui, self.network = ui, network
        self.scoring: ReaderScoring | None = None
        self.shown: ShownCase | None = None
        self.display = ScoringDisplay(ui, network)
        self._giving: Scoring | None = None
        self._in_view_since = -math.inf
        keys = {str(score): lambda score=score: self.give(score) for score in SCORES}
        keys |= {"Space": self.next_unscored, "Ctrl+Z": self.undo}
        self.shortcuts = Shortcuts(ui.readingFrame, keys)
        self._watch = ActivityWatch(self._on_activity)
        self._advance = _timer(ADVANCE, self._on_advance)
        self._beat = _timer(BEAT, self.beat)
        self.display.buttons.pressed.connect(self.give)
        self.display.details.changed.connect(self._on_details)
        self.display.details.done.connect(self._on_details_done)
        self.display.cases.chosen.connect(self._on_chosen)
        network.changed.connect(self.display.refresh)
        ui.previousButton.clicked.connect(lambda *_args: self._step(-1))
        ui.nextButton.clicked.connect(lambda *_args: self._step(1))
        ui.nextUnscoredButton.clicked.connect(lambda *_args: self.next_unscored())
        ui.undoButton.clicked.connect(lambda *_args: self.undo())
        ui.retryButton.clicked.connect(lambda *_args: self.scoring.retry())
        ui.elsewhereButton.clicked.connect(self._on_elsewhere)
        ui.networkButton.clicked.connect(self._on_network)

    # A study comes and goes

    def open(
        self, scoring: ReaderScoring, names: CaseNames, scene_nodes: Mapping[str, str]
    ) -> None:
        """Let a reader score; scene_nodes are the IDs of volumes in the scene by case."""
        self.scoring = self._giving = scoring
        self.shown = ShownCase(scoring, names, scene_nodes, self.network, self.display.badge)
        self.shown.scrolled.connect(self._on_scrolled)
        self.display.open(scoring, names, self.shown)
        scoring.changed.connect(self._on_scoring)
        self._beat.start()
        scoring.go_to_reading(0 if scoring.next_reading is None else scoring.next_reading)

    def close(self) -> None:
        """The study is closed; may be called twice."""
        self.leave()
        self._beat.stop()
        self.display.close()
        if self.scoring is not None:
            self.scoring.close()
            self.shown.close()
        self.scoring = self.shown = self._giving = None

    def enter(self) -> None:
        if self.scoring is not None and not self.shown.entered:
            self.shortcuts.active = True
            self._watch.start()
            self.shown.enter()
            self._in_view_since = time.monotonic()
            self.scoring.session.clock.touch()
            self.display.say(self.shown.problem)
            self.display.refresh()

    def leave(self) -> None:
        self.shortcuts.active = False
        self._advance.stop()
        self._watch.stop()
        if self.scoring is not None:
            self.shown.leave()
            self.scoring.session.clock.pause()

    def dispose(self) -> None:
        self.close()
        self.shortcuts.close()
        self._watch.close()
        self.network.changed.disconnect(self.display.refresh)

    def adjudicate(self, adjudication: Adjudication) -> None:
        """Let keys and score buttons settle cases, until `read`."""
        self._hand_over(adjudication, AdjudicationWords(adjudication))
        adjudication.changed.connect(self.display.refresh)

    def read(self) -> None:
        """Keys and score buttons are the reader's again."""
        if self.scoring is not None:
            self._hand_over(self.scoring, self.display.reader_words)

    def _hand_over(self, giving: Scoring, words) -> None:
        self._turn()
        self._giving = giving
        self.display.hand_over(giving, words)
        self.display.refresh()

    @property
    def beating(self) -> bool:
        """Whether other machines are told that a session lives."""
        return self._beat.active

    # What the reader does

    @property
    def seen(self) -> bool:
        """Whether what came into view has been there long enough to be judged."""
        return time.monotonic() - self._in_view_since > LOOK

    def give(self, score: int) -> None:
        """Score what is in view; once more before the next image comes, it is a correction."""
        self._advance.stop()
        if not self.seen:
            self.display.say(_("Another image has just come into view: look, then score it."))
            return
        if self._giving is None:
            return
        why = self.shown.why_not() if self._giving.needs_image else None
        self.display.say(why or "")
        if why is None:
            self._giving.give(score, **self.display.details.values())
            if self.ui.advanceCheckBox.checked and not self._giving.unsaved:
                self._advance.start()

    def undo(self) -> None:
        self._advance.stop()
        if self._giving is not None:
            self._giving.undo()

    def next_unscored(self) -> None:
        """On to what waits for a score."""
        self._turn()
        if self._giving is not None and not self._giving.next():
            self.display.say(
                _("All cases that can be read are scored. Thank you!")
                if self.scoring.session.unreadable
                else _("All cases are scored. Thank you!")
            )

    def beat(self, *_args) -> None:
        """Tell other machines that this session lives."""
        for scoring in dict.fromkeys((self.scoring, self._giving)):
            scoring.beat()

    def _step(self, way: int) -> None:
        self._turn()
        self.scoring.go_to_reading((self.scoring.reading or 0) + way)

    def _turn(self) -> None:
        """Before another case: what is typed belongs to this one."""
        self._advance.stop()
        self.display.details.finish()

    def _on_chosen(self, row: int) -> None:
        self._turn()
        if row != self.scoring.reading:
            self.scoring.go_to_reading(row)
        self.shown.focus()

    def _on_details(self) -> None:
        if self.scoring is not None:
            self.scoring.describe(**self.display.details.values())

    def _on_details_done(self) -> None:
        if self.shown is not None:
            self.shown.focus()

    def _on_elsewhere(self, *_args) -> None:
        title = _("A folder to keep the scores in until the study can be written again")
        folder = qt.QFileDialog.getExistingDirectory(self.ui.readingFrame, title, "")
        if folder:
            path = self.scoring.save_elsewhere(folder)
            self.display.reader_words.saved_elsewhere = "" if path is None else str(path)
            self.display.refresh()

    def _on_network(self, *_args) -> None:
        self.display.say(self.network.ask(self.shown.node) or "")

    # What follows from it

    def _on_scoring(self) -> None:
        if self.shown.show():
            self.scoring.session.clock.start()  # loading is not reading
            self.display.say(self.shown.problem)
            self._in_view_since = time.monotonic()
        self.display.refresh()

    def _on_scrolled(self, index: int | None) -> None:
        self._turn()  # the wheel leaves the focus in the comment
        self.scoring.session.clock.touch()
        self.scoring.go_to_slice(index)

    def _on_activity(self) -> None:
        if self.scoring is not None:
            self.scoring.session.clock.touch()

    def _on_advance(self, *_args) -> None:
        self._advance.stop()
        if self._giving is None or self.shortcuts.typing:  # the comment is on what is in view
            return
        if self._giving.follow():
            self._in_view_since = time.monotonic()

    def list_again(self) -> None:
        """Cases were added or found again, or scores imported."""
        self.scoring.rebuild()
        if self.shown.problem:
            self.shown.show(again=True)
            self.display.say(self.shown.problem)
        self.display.list_cases()
        self.display.refresh()


def _timer(milliseconds: int, call):
    timer = qt.QTimer()
    timer.interval = milliseconds
    timer.timeout.connect(call)
    return timer
