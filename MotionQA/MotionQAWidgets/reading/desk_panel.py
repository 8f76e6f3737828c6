"""Where the reading is done: what keys and buttons do, and what follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import qt
from slicer.i18n import tr as _

from MotionQALib.scale import SCORES

from .activity_watch import ActivityWatch
from .case_stage import CaseStage
from .desk import Desk
from .desk_display import DeskDisplay
from .network_grade import NetworkGrade
from .shortcuts import Shortcuts

ADVANCE = 400
"""Milliseconds that a grade is seen before the next image comes by itself."""

LOOK = 0.15
"""Seconds that an image must be in view before a score is for it: loading holds keys up, and what
was pressed meanwhile was meant for the image before."""

BEAT = 60_000
"""Milliseconds between two signs of life to other machines."""


class DeskPanel:
    """The widgets of the reading frame, at the service of a `Desk`.

    Between `leave` and `enter` no key acts, and no timer runs but the session's heartbeat.

    Attributes
    ----------
    desk, stage : of the open study; None where none is open
    """

    def __init__(self, ui, network: NetworkGrade) -> None:
        self.ui, self.network = ui, network
        self.desk: Desk | None = None
        self.stage: CaseStage | None = None
        self.display = DeskDisplay(ui, network)
        self._settling = None
        self._in_view_since = -math.inf
        keys = {str(score): lambda score=score: self.give(score) for score in SCORES}
        keys |= {"Space": self.next_unscored, "Ctrl+Z": self.undo}
        self.shortcuts = Shortcuts(ui.readingFrame, keys)
        self._watch = ActivityWatch(self._on_activity)
        self._advance = _timer(ADVANCE, self._on_advance)
        self._beat = _timer(BEAT, self._on_beat)
        self.display.buttons.pressed.connect(self.give)
        self.display.remarks.changed.connect(self._on_remarks)
        self.display.remarks.done.connect(self._on_remarks_done)
        self.display.cases.chosen.connect(self._on_chosen)
        network.changed.connect(self.display.refresh)
        ui.previousButton.clicked.connect(lambda *_args: self._step(-1))
        ui.nextButton.clicked.connect(lambda *_args: self._step(1))
        ui.nextUnscoredButton.clicked.connect(lambda *_args: self.next_unscored())
        ui.undoButton.clicked.connect(lambda *_args: self.undo())
        ui.retryButton.clicked.connect(lambda *_args: self.desk.retry())
        ui.elsewhereButton.clicked.connect(self._on_elsewhere)
        ui.networkButton.clicked.connect(self._on_network)

    # A study comes and goes

    def open(self, desk: Desk, scene_nodes: Mapping[str, str]) -> None:
        """Read at this desk; scene_nodes are the ids of volumes in the scene by case."""
        self.desk, self._settling = desk, None
        self.stage = CaseStage(desk, scene_nodes, self.network, self.display.badge)
        self.stage.scrolled.connect(self._on_scrolled)
        self.display.open(desk, self.stage)
        desk.changed.connect(self._on_desk)
        self._beat.start()
        desk.go_to_visit(0 if desk.next_visit is None else desk.next_visit)

    def close(self) -> None:
        """The study is closed; may be called twice."""
        self.leave()
        self._beat.stop()
        self.display.close()
        if self.desk is not None:
            self.desk.close()
            self.stage.close()
        self.desk = self.stage = None

    def enter(self) -> None:
        if self.desk is not None and not self.stage.entered:
            self.shortcuts.active = True
            self._watch.start()
            self.stage.enter()
            self._in_view_since = time.monotonic()
            self.desk.session.clock.touch()
            self.display.say(self.stage.problem)
            self.display.refresh()

    def leave(self) -> None:
        self.shortcuts.active = False
        self._advance.stop()
        self._watch.stop()
        if self.desk is not None:
            self.stage.leave()
            self.desk.session.clock.pause()

    def dispose(self) -> None:
        self.close()
        self.shortcuts.close()
        self._watch.close()
        self.network.changed.disconnect(self.display.refresh)

    def hand_over(self, adjudicator) -> None:
        """Let keys and score buttons settle cases instead of scoring them.

        Parameters
        ----------
        adjudicator : has ``settle(score)``, ``settle_next()``, ``undo()`` and ``beat()``; None
            takes them back
        """
        self._turn()
        self._settling = adjudicator
        self.show_settled(None if adjudicator is not None else False)

    def show_settled(self, score: int | bool | None) -> None:
        """Show what an adjudicator gave instead of the reader's own score; False ends that."""
        self.display.settled = score
        self.display.refresh()

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
        if self._settling is not None:
            self._settling.settle(score)
            return
        if self.desk is None:
            return
        why = self.stage.why_not()
        self.display.say(why or "")
        if why is None:
            self.desk.give(score, **self.display.remarks.values())
            if self.ui.advanceCheckBox.checked and not self.desk.unsaved:
                self._advance.start()

    def undo(self) -> None:
        self._advance.stop()
        if self._settling is not None:
            self._settling.undo()
        elif self.desk is not None:
            self.desk.undo()

    def next_unscored(self) -> None:
        """On to what waits for a score: a slice of this case, else the next case."""
        self._turn()
        if self._settling is not None:
            self._settling.settle_next()
            return
        if self.desk is None:
            return
        here = self.desk.next_slice if self.desk.per_slice else None
        if here is not None:
            self.desk.go_to(here)
        elif self.desk.next_visit is None:
            self.display.say(
                _("All cases that can be read are scored. Thank you!")
                if self.desk.session.unreadable
                else _("All cases are scored. Thank you!")
            )
        else:
            self.desk.go_to_visit(self.desk.next_visit)

    def _step(self, way: int) -> None:
        self._turn()
        self.desk.go_to_visit((self.desk.visit or 0) + way)

    def _turn(self) -> None:
        """Before another case: what is typed belongs to this one."""
        self._advance.stop()
        self.display.remarks.finish()

    def _on_chosen(self, row: int) -> None:
        self._turn()
        if row != self.desk.visit:
            self.desk.go_to_visit(row)
        self.stage.focus()

    def _on_remarks(self) -> None:
        if self.desk is not None and self._settling is None:
            self.desk.remark(**self.display.remarks.values())

    def _on_remarks_done(self) -> None:
        if self.stage is not None:
            self.stage.focus()

    def _on_elsewhere(self, *_args) -> None:
        title = _("A folder to keep the scores in until the study can be written again")
        folder = qt.QFileDialog.getExistingDirectory(self.ui.readingFrame, title, "")
        if folder:
            path = self.desk.save_elsewhere(folder)
            self.display.saved_elsewhere = "" if path is None else str(path)
            self.display.refresh()

    def _on_network(self, *_args) -> None:
        self.display.say(self.network.ask(self.stage.node) or "")

    # What follows from it

    def _on_desk(self) -> None:
        if self.stage.show():
            self.desk.session.clock.start()  # loading is not reading
            self.display.say(self.stage.problem)
            self._in_view_since = time.monotonic()
        self.display.refresh()

    def _on_scrolled(self, index: int | None) -> None:
        self._turn()  # the wheel leaves the focus in the comment
        self.desk.session.clock.touch()
        self.desk.go_to_slice(index)

    def _on_activity(self) -> None:
        if self.desk is not None:
            self.desk.session.clock.touch()

    def _on_beat(self, *_args) -> None:
        self.desk.beat()
        if self._settling is not None:
            self._settling.beat()

    def _on_advance(self, *_args) -> None:
        self._advance.stop()
        if self.desk is None or self.shortcuts.typing:  # the comment is on what is in view
            return
        if not self.desk.per_slice:
            self.desk.go_to_visit(self.desk.next_visit)
        elif self.desk.next_slice is not None:
            self.desk.go_to(self.desk.next_slice)
            self._in_view_since = time.monotonic()

    def list_again(self) -> None:
        """Cases were added or found again, or scores imported."""
        self.desk.rebuild()
        if self.stage.problem:
            self.stage.show(again=True)
            self.display.say(self.stage.problem)
        self.display.list_cases()
        self.display.refresh()


def _timer(milliseconds: int, call):
    timer = qt.QTimer()
    timer.interval = milliseconds
    timer.timeout.connect(call)
    return timer
