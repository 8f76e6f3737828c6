"""Where the reading is done: the buttons and keys, what they saved, and the list of cases."""

from __future__ import annotations

from collections.abc import Mapping

import qt
from slicer.i18n import tr as _

from MotionQALib.reading.entry import Entry
from MotionQALib.scale import SCORES

from ..wording import gradeName
from . import phrases
from .activity_watch import ActivityWatch
from .case_list import CaseList, Line, statusOf
from .case_stage import CaseStage
from .case_view import Words
from .desk import Desk
from .network_grade import NetworkGrade
from .remarks_form import RemarksForm
from .score_buttons import ScoreButtons
from .shortcuts import Shortcuts

ADVANCE = 400
"""Milliseconds that a grade is seen before the next image comes by itself."""

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
        self._row: int | None = None
        self._savedElsewhere = ""
        self._remarksOf: object = None
        self.buttons = ScoreButtons(ui.scoresFrame)
        self.remarks = RemarksForm(ui.detailsFrame)
        self.cases = CaseList(ui.casesTable)
        keys = {str(score): lambda score=score: self.give(score) for score in SCORES}
        keys |= {"Space": self.nextUnscored, "Ctrl+Z": self.undo}
        self.shortcuts = Shortcuts(ui.readingFrame, keys)
        self._watch = ActivityWatch(self._onActivity)
        self._advance = _timer(ADVANCE, self._onAdvance)
        self._beat = _timer(BEAT, lambda *_args: self.desk.beat())
        self.buttons.pressed.connect(self.give)
        self.remarks.changed.connect(self._onRemarks)
        self.remarks.done.connect(self._onRemarksDone)
        self.cases.chosen.connect(self._onChosen)
        network.changed.connect(self.refresh)
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
        self.desk = desk
        self.stage = CaseStage(desk, sceneNodes, self.network, self._badge)
        self.stage.scrolled.connect(self._onScrolled)
        self._savedElsewhere, self._remarksOf = "", None
        self.ui.readingFrame.visible = True
        self.ui.advanceCheckBox.checked = desk.perSlice
        self._listCases()
        desk.changed.connect(self._onDesk)
        self._beat.start()
        desk.goToVisit(0 if desk.nextVisit is None else desk.nextVisit)

    def close(self) -> None:
        """The study is closed; may be called twice."""
        self.leave()
        self._beat.stop()
        self.ui.readingFrame.visible = False
        if self.desk is not None:
            self.desk.close()
            self.stage.close()
        self.desk = self.stage = None

    def enter(self) -> None:
        if self.desk is not None and not self.stage.entered:
            self.shortcuts.active = True
            self._watch.start()
            self.stage.enter()
            self.desk.session.clock.touch()
            self.say(self.stage.problem)
            self.refresh()

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
        self.network.changed.disconnect(self.refresh)

    def say(self, sentence: str) -> None:
        self.ui.messageLabel.text = sentence
        self.ui.messageLabel.visible = bool(sentence)

    # What the reader does

    def give(self, score: int) -> None:
        """Score what is in view."""
        if self.desk is None:
            return
        self._advanceNow()
        why = self.stage.whyNot()
        self.say(why or "")
        if why is None:
            self.desk.give(score, **self.remarks.values())
            if self.ui.advanceCheckBox.checked and not self.desk.unsaved:
                self._advance.start()

    def undo(self) -> None:
        self._advance.stop()
        if self.desk is not None:
            self.desk.undo()

    def nextUnscored(self) -> None:
        """On to what waits for a score: a slice of this case, else the next case."""
        self._advance.stop()
        if self.desk is None:
            return
        here = self.desk.nextSlice if self.desk.perSlice else None
        if here is not None:
            self.desk.goTo(here)
        elif self.desk.nextVisit is None:
            self.say(_("All cases are scored. Thank you!"))
        else:
            self.desk.goToVisit(self.desk.nextVisit)

    def _step(self, way: int) -> None:
        self._advance.stop()
        self.desk.goToVisit((self.desk.visit or 0) + way)

    def _onChosen(self, row: int) -> None:
        self._advance.stop()
        if row != self.desk.visit:
            self.desk.goToVisit(row)
        self.stage.focus()

    def _onRemarks(self) -> None:
        if self.desk is not None:
            self.desk.remark(**self.remarks.values())

    def _onRemarksDone(self) -> None:
        if self.stage is not None:
            self.stage.focus()

    def _onElsewhere(self, *_args) -> None:
        title = _("A folder to keep the scores in until the study can be written again")
        folder = qt.QFileDialog.getExistingDirectory(self.ui.readingFrame, title, "")
        if folder:
            path = self.desk.saveElsewhere(folder)
            self._savedElsewhere = "" if path is None else str(path)
            self.refresh()

    def _onNetwork(self, *_args) -> None:
        self.say(self.network.ask(self.stage.node) or "")

    # What follows from it

    def _onDesk(self) -> None:
        before = self._row
        self.stage.show()
        if self.desk.visit != before:
            self.desk.session.clock.start()  # loading is not reading
            self.say(self.stage.problem)
            if before is not None and before < len(self.desk.visits):
                self.cases.showLine(before, self._line(before))
        self.refresh()

    def _onScrolled(self, index: int | None) -> None:
        self._advance.stop()  # the reader goes elsewhere
        self.desk.session.clock.touch()
        self.desk.goToSlice(index)

    def _onActivity(self) -> None:
        if self.desk is not None:
            self.desk.session.clock.touch()

    def _onAdvance(self, *_args) -> None:
        self._advance.stop()
        if self.desk is None:
            return
        if not self.desk.perSlice:
            self.desk.goToVisit(self.desk.nextVisit)
        elif self.desk.nextSlice is not None:
            self.desk.goTo(self.desk.nextSlice)

    def _advanceNow(self) -> None:
        """The next score is the next image's, however fast it comes."""
        if self._advance.active:
            self._onAdvance()

    # What is shown

    def refresh(self, *_args) -> None:
        """Show what the desk and the network say now."""
        desk, ui = self.desk, self.ui
        if desk is None or desk.item is None:
            return
        given = desk.given
        ui.caseLabel.text = self.stage.nameOf(desk.visit)
        ui.sliceLabel.text = ""
        if desk.perSlice:
            text = _("slice {slice} (0–{last})")
            last = len(desk.visits[desk.visit]) - 1
            ui.sliceLabel.text = text.format(slice=desk.item.place.slice, last=last)
        done, total, seconds = desk.progress
        ui.progressBar.maximum = max(1, total)
        ui.progressBar.value = done
        ui.progressBar.format = phrases.progress(done, total, seconds)
        self.buttons.show(None if given is None else given.score)
        self.buttons.enabled = not self.stage.problem
        self._showRemarks(given)
        self._showSaved(given)
        ui.undoButton.enabled = bool(desk.unsaved or desk.session.log.entries)
        ui.previousButton.enabled = desk.visit > 0
        ui.nextButton.enabled = desk.visit + 1 < len(desk.visits)
        sentence, canAsk = self.network.sentence(desk, self.stage.node, given)
        ui.networkLabel.text, ui.networkButton.visible = sentence, canAsk
        self._row = desk.visit
        self.cases.showLine(desk.visit, self._line(desk.visit))
        self.cases.select(desk.visit)
        self.stage.update()

    def _showRemarks(self, given: Entry | None) -> None:
        key = None if given is None else (given.place, given.time)
        place = self.desk.item.place
        if key is None and place != self._remarksOf:
            self.remarks.show(None, (), "")
        elif key is not None and key != self._remarksOf:
            self.remarks.show(given.confidence, given.artefacts, given.comment)
        self._remarksOf = place if key is None else key

    def _showSaved(self, given: Entry | None) -> None:
        ui, desk = self.ui, self.desk
        text, colour = "", phrases.GOOD
        if desk.unsaved:
            count = len(desk.unsaved)
            text = phrases.notSaved(desk.problem, count, self._savedElsewhere)
            colour = phrases.BAD
        elif desk.problem:
            text, colour = desk.problem, phrases.BAD
        elif given is not None or desk.last is not None:
            entry = given or desk.last
            text = phrases.saved(entry, "" if given else self._whereOf(entry))
            self._savedElsewhere = ""
        ui.savedLabel.text = text
        ui.savedLabel.styleSheet = f"color: {colour}; font-weight: bold;"
        ui.retryButton.visible = ui.elsewhereButton.visible = bool(desk.unsaved)

    def _whereOf(self, entry: Entry) -> str:
        index = self.desk.session.list.index_of(entry.place)
        if index is None:
            return ""
        name = self.stage.nameOf(self.desk.session.list.items[index].number - 1)
        if entry.place.slice is None:
            return name
        return _("{case}, slice {slice}").format(case=name, slice=entry.place.slice)

    def _badge(self, index: int | None) -> Words:
        """What stands over a slice: the reader's score and, if it may be known, the network's."""
        desk = self.desk
        if desk is None or desk.visit is None:
            return None
        items = desk.visits[desk.visit]
        if not desk.perSlice:
            item = items[0]
        elif index is not None and index < len(items):
            item = items[index]
        else:
            return None
        entry = desk.entries.get(item.place)
        if entry is None:
            return None
        lines = [phrases.entry(entry)]
        if item.place in desk.unsaved:
            lines.append(_("not saved"))
        network = self.network.words(desk, item, self.stage.node)
        if network:
            lines.append(_("network {grade}").format(grade=network))
        return "\n".join(lines), phrases.gradeOf(entry)

    def _listCases(self) -> None:
        self.cases.show([self._line(visit) for visit in range(len(self.desk.visits))])

    def _line(self, visit: int) -> Line:
        status, score, done = statusOf(self.desk.scoresOf(visit))
        items = self.desk.visits[visit]
        if len(items) == 1 and score is None and items[0].place in self.desk.entries:
            # Imported: only a grade is known.
            done, entry = True, self.desk.entries[items[0].place]
            status = gradeName(phrases.gradeOf(entry))
        if not done and not self.stage.isThere(items[0]):
            status = _("file missing")
        return self.stage.nameOf(visit), status, score, done

    def listAgain(self) -> None:
        """Cases were added, or scores imported."""
        self.desk.rebuild()
        self._listCases()
        self.refresh()


def _timer(milliseconds: int, call):
    timer = qt.QTimer()
    timer.interval = milliseconds
    timer.timeout.connect(call)
    return timer
