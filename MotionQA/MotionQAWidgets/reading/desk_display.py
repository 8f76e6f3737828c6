"""What the reading frame shows: the case, its score, what was saved, the list, the network."""

from __future__ import annotations

from slicer.i18n import tr as _

from MotionQALib.reading.entry import Entry
from MotionQALib.scale import grade_of

from ..wording import grade_name
from . import phrases
from .case_list import CaseList, Line, status_of
from .case_stage import CaseStage
from .case_view import Words
from .desk import Desk
from .network_grade import NetworkGrade
from .remarks_form import RemarksForm
from .score_buttons import ScoreButtons, score_in_words

NO_REMARKS = {"confidence": None, "artefacts": (), "comment": ""}


class DeskDisplay:
    """Writes what desk, stage and network say into the panel's widgets.

    Attributes
    ----------
    buttons, remarks, cases : the parts that the reader works with
    saved_elsewhere : the file that keeps what the study lacks; "" where there is none
    settled : of the case that is adjudicated, shown instead of the reader's own; False where the
        reader reads
    """

    def __init__(self, ui, network: NetworkGrade) -> None:
        self.ui, self.network = ui, network
        self.buttons = ScoreButtons(ui.scoresFrame)
        self.remarks = RemarksForm(ui.detailsFrame)
        self.cases = CaseList(ui.casesTable)
        self.saved_elsewhere = ""
        self.settled: int | bool | None = False
        self.desk: Desk | None = None
        self.stage: CaseStage | None = None
        self._row: int | None = None
        self._remarks_of: object = None

    def open(self, desk: Desk, stage: CaseStage) -> None:
        """Show this desk from now on."""
        self.desk, self.stage = desk, stage
        self.saved_elsewhere, self.settled = "", False
        self._row = self._remarks_of = None
        self.list_cases()
        self.ui.advanceCheckBox.checked = desk.per_slice
        self.ui.readingFrame.visible = True

    def close(self) -> None:
        self.ui.readingFrame.visible = False
        self.desk = self.stage = None

    def say(self, sentence: str) -> None:
        self.ui.messageLabel.text = sentence
        self.ui.messageLabel.visible = bool(sentence)

    def refresh(self, *_args) -> None:
        """Show what desk, stage and network say now."""
        desk, ui = self.desk, self.ui
        if desk is None or desk.item is None:
            return
        given = desk.given
        ui.caseLabel.text = self.stage.name_of(desk.visit)
        ui.sliceLabel.text = ""
        if desk.per_slice:
            text = _("slice {slice} (0–{last})")
            last = len(desk.visits[desk.visit]) - 1
            ui.sliceLabel.text = text.format(slice=desk.item.place.slice, last=last)
        done, total, seconds = desk.progress
        ui.progressBar.maximum = max(1, total)
        ui.progressBar.value = done
        lost = len(desk.session.unreadable)
        ui.progressBar.format = phrases.progress(done, total, seconds, lost)
        score = None if given is None else given.score
        self.buttons.show(score if self.settled is False else self.settled)
        self.buttons.enabled = not self.stage.problem
        self._show_remarks(given)
        self._show_saved(given)
        ui.undoButton.enabled = bool(desk.unsaved or desk.session.log.entries)
        ui.previousButton.enabled = desk.visit > 0
        ui.nextButton.enabled = desk.visit + 1 < len(desk.visits)
        sentence, can_ask = self.network.sentence(desk, self.stage.node, given)
        ui.networkLabel.text, ui.networkButton.visible = sentence, can_ask
        for row in {self._row, desk.visit} - {None}:
            if row < len(desk.visits):
                self.cases.show_line(row, self._line(row))
        self._row = desk.visit
        self.cases.select(desk.visit)
        self.stage.update()

    def _show_remarks(self, given: Entry | None) -> None:
        key = None if given is None else (given.place, given.time)
        place = self.desk.item.place
        self.ui.detailsFrame.enabled = self.settled is False
        if key is None and place != self._remarks_of:
            self.remarks.show(**self.desk.pending.get(place, NO_REMARKS))
        elif key is not None and key != self._remarks_of:
            self.remarks.show(given.confidence, given.artefacts, given.comment)
        self._remarks_of = place if key is None else key

    def _show_saved(self, given: Entry | None) -> None:
        ui, desk = self.ui, self.desk
        text, colour = "", phrases.GOOD
        if self.settled is not False:
            text = _("You are adjudicating: keys and buttons settle the case.")
        elif desk.unsaved:
            count = len(desk.unsaved)
            text = phrases.not_saved(desk.problem, count, self.saved_elsewhere)
            colour = phrases.BAD
        elif desk.problem:
            text, colour = desk.problem, phrases.BAD
        elif given is not None or desk.last is not None:
            entry = given or desk.last
            text = phrases.saved(entry, "" if given else self._where_of(entry))
            self.saved_elsewhere = ""
        ui.savedLabel.text = text
        ui.savedLabel.styleSheet = f"color: {colour}; font-weight: bold;"
        ui.retryButton.visible = ui.elsewhereButton.visible = bool(desk.unsaved)

    def _where_of(self, entry: Entry) -> str:
        index = self.desk.session.list.index_of(entry.place)
        if index is None:
            return ""
        name = self.stage.name_of(self.desk.session.list.items[index].number - 1)
        if entry.place.slice is None:
            return name
        return _("{case}, slice {slice}").format(case=name, slice=entry.place.slice)

    def badge(self, index: int | None) -> Words:
        """What stands over a slice: the reader's score and, if it may be known, the network's."""
        desk = self.desk
        if desk is None or desk.visit is None:
            return None
        if self.settled is not False:  # an adjudicator's own score is only one of them
            return self.settled and (score_in_words(self.settled), grade_of(self.settled))
        items = desk.visits[desk.visit]
        if not desk.per_slice:
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
        return "\n".join(lines), phrases.grade_of(entry)

    def list_cases(self) -> None:
        self.cases.show([self._line(visit) for visit in range(len(self.desk.visits))])

    def _line(self, visit: int) -> Line:
        status, score, done = status_of(self.desk.scores_of(visit))
        items = self.desk.visits[visit]
        if len(items) == 1 and score is None and items[0].place in self.desk.entries:
            # Imported: only a grade is known.
            done, entry = True, self.desk.entries[items[0].place]
            status = grade_name(phrases.grade_of(entry))
        if not done and not self.stage.is_there(items[0]):
            status = _("file missing")
        elif not done and not self.desk.is_readable(visit):
            status = _("cannot be read")
        return self.stage.name_of(visit), status, score, done
