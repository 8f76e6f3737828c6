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
        self._inViewSince = -math.inf
        keys = {str(score): lambda score=score: self.give(score) for score in SCORES}
        keys |= {"Space": self.nextUnscored, "Ctrl+Z": self.undo}
        self.shortcuts = Shortcuts(ui.readingFrame, keys)
        self._watch = ActivityWatch(self._onActivity)
        self._advance = _timer(ADVANCE, self._onAdvance)
        self._beat = _timer(BEAT, self._onBeat)
        self.display.buttons.pressed.connect(self.give)
        self.display.remarks.changed.connect(self._onRemarks)
        self.display.remarks.done.connect(self._onRemarksDone)
        self.display.cases.chosen.connect(self._onChosen)
        network.changed.connect(self.display.refresh)
        ui.previousButton.clicked.connect(lambda *_args: self._step(-1))
        ui.nextButton.clicked.connect(lambda *_args: self._step(1))
        ui.nextUnscoredButton.clicked.connect(lambda *_args: self.nextUnscored())
        ui.undoButton.clicked.connect(lambda *_args: self.undo())
        ui.retryButton.clicked.connect(lambda *_args: self.desk.retry())
        ui.elsewhereButton.clicked.connect(self._onElsewhere)
        ui.networkButton.clicked.connect(self._onNetwork)

    # A study comes and goes

    def open(self, desk: Desk, sceneNodes: Mapping[str, str]) -> None:
        """Read at this desk; sceneNodes are the IDs of volumes in the scene by case."""
        self.desk, self._settling = desk, None
        self.stage = CaseStage(desk, sceneNodes, self.network, self.display.badge)
        self.stage.scrolled.connect(self._onScrolled)
        self.display.open(desk, self.stage)
        desk.changed.connect(self._onDesk)
        self._beat.start()
        desk.goToVisit(0 if desk.nextVisit is None else desk.nextVisit)

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
            self._inViewSince = time.monotonic()
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

    def handOver(self, adjudicator) -> None:
        """Let keys and score buttons settle cases instead of scoring them.

        Parameters
        ----------
        adjudicator : has ``settle(score)``, ``settleNext()``, ``undo()`` and ``beat()``; None takes
            them back
        """
        self._turn()
        self._settling = adjudicator
        self.showSettled(None if adjudicator is not None else False)

    def showSettled(self, score: int | bool | None) -> None:
        """Show what an adjudicator gave instead of the reader's own score; False ends that."""
        self.display.settled = score
        self.display.refresh()

    # What the reader does

    @property
    def seen(self) -> bool:
        """Whether what came into view has been there long enough to be judged."""
        return time.monotonic() - self._inViewSince > LOOK

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
        why = self.stage.whyNot()
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

    def nextUnscored(self) -> None:
        """On to what waits for a score: a slice of this case, else the next case."""
        self._turn()
        if self._settling is not None:
            self._settling.settleNext()
            return
        if self.desk is None:
            return
        here = self.desk.nextSlice if self.desk.perSlice else None
        if here is not None:
            self.desk.goTo(here)
        elif self.desk.nextVisit is None:
            self.display.say(
                _("All cases that can be read are scored. Thank you!")
                if self.desk.session.unreadable
                else _("All cases are scored. Thank you!")
            )
        else:
            self.desk.goToVisit(self.desk.nextVisit)

    def _step(self, way: int) -> None:
        self._turn()
        self.desk.goToVisit((self.desk.visit or 0) + way)

    def _turn(self) -> None:
        """Before another case: what is typed belongs to this one."""
        self._advance.stop()
        self.display.remarks.finish()

    def _onChosen(self, row: int) -> None:
        self._turn()
        if row != self.desk.visit:
            self.desk.goToVisit(row)
        self.stage.focus()

    def _onRemarks(self) -> None:
        if self.desk is not None and self._settling is None:
            self.desk.remark(**self.display.remarks.values())

    def _onRemarksDone(self) -> None:
        if self.stage is not None:
            self.stage.focus()

    def _onElsewhere(self, *_args) -> None:
        title = _("A folder to keep the scores in until the study can be written again")
        folder = qt.QFileDialog.getExistingDirectory(self.ui.readingFrame, title, "")
        if folder:
            path = self.desk.saveElsewhere(folder)
            self.display.savedElsewhere = "" if path is None else str(path)
            self.display.refresh()

    def _onNetwork(self, *_args) -> None:
        self.display.say(self.network.ask(self.stage.node) or "")

    # What follows from it

    def _onDesk(self) -> None:
        if self.stage.show():
            self.desk.session.clock.start()  # loading is not reading
            self.display.say(self.stage.problem)
            self._inViewSince = time.monotonic()
        self.display.refresh()

    def _onScrolled(self, index: int | None) -> None:
        self._turn()  # the wheel leaves the focus in the comment
        self.desk.session.clock.touch()
        self.desk.goToSlice(index)

    def _onActivity(self) -> None:
        if self.desk is not None:
            self.desk.session.clock.touch()

    def _onBeat(self, *_args) -> None:
        self.desk.beat()
        if self._settling is not None:
            self._settling.beat()

    def _onAdvance(self, *_args) -> None:
        self._advance.stop()
        if self.desk is None or self.shortcuts.typing:  # the comment is on what is in view
            return
        if not self.desk.perSlice:
            self.desk.goToVisit(self.desk.nextVisit)
        elif self.desk.nextSlice is not None:
            self.desk.goTo(self.desk.nextSlice)
            self._inViewSince = time.monotonic()

    def listAgain(self) -> None:
        """Cases were added or found again, or scores imported."""
        self.desk.rebuild()
        if self.stage.problem:
            self.stage.show(again=True)
            self.display.say(self.stage.problem)
        self.display.listCases()
        self.display.refresh()


def _timer(milliseconds: int, call):
    timer = qt.QTimer()
    timer.interval = milliseconds
    timer.timeout.connect(call)
    return timer
