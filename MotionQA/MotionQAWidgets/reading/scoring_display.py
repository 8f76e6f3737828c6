"""What the reading frame shows: the case, its score, what was saved, the list, the network."""

from __future__ import annotations

from slicer.i18n import tr as _

from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.score_entry import ScoreEntry
from MotionQALib.reading.scoring import Scoring

from ..wording import grade_name
from . import phrases
from .adjudication_words import AdjudicationWords
from .case_names import CaseNames
from .case_view import Words
from .details_form import DetailsForm
from .network_grade import NetworkGrade
from .reader_words import ReaderWords
from .score_buttons import ScoreButtons
from .shown_case import ShownCase
from .worklist_table import Line, WorklistTable, status_of

NO_DETAILS = {"confidence": None, "artefacts": (), "comment": ""}


class ScoringDisplay:
    """Writes what scores, the shown case and the network say into the panel's widgets.

    Attributes
    ----------
    buttons, details, cases : the parts that the reader works with
    reader_words : of the reader whose study is open
    """

    def __init__(self, ui, network: NetworkGrade) -> None:
        self.ui, self.network = ui, network
        self.buttons = ScoreButtons(ui.scoresFrame)
        self.details = DetailsForm(ui.detailsFrame)
        self.cases = WorklistTable(ui.casesTable)
        self.reader_words: ReaderWords | None = None
        self._scoring: ReaderScoring | None = None
        self._shown: ShownCase | None = None
        self._giving: Scoring | None = None
        self._words: ReaderWords | AdjudicationWords | None = None
        self._row: int | None = None
        self._details_of: object = None

    def open(self, scoring: ReaderScoring, names: CaseNames, shown: ShownCase) -> None:
        """Show this reader's scores from now on."""
        self._scoring, self._names, self._shown = scoring, names, shown
        self.reader_words = ReaderWords(scoring, names, shown, self.network)
        self.hand_over(scoring, self.reader_words)
        self._row = self._details_of = None
        self.list_cases()
        self.ui.advanceCheckBox.checked = scoring.per_slice
        self.ui.readingFrame.visible = True

    def close(self) -> None:
        self.ui.readingFrame.visible = False
        self._scoring = self._shown = self._giving = self._words = self.reader_words = None

    def hand_over(self, giving: Scoring, words: ReaderWords | AdjudicationWords) -> None:
        """Show what is given here from now on."""
        self._giving, self._words = giving, words

    def say(self, sentence: str) -> None:
        self.ui.messageLabel.text = sentence
        self.ui.messageLabel.visible = bool(sentence)

    def badge(self, index: int | None) -> Words:
        return None if self._words is None else self._words.badge(index)

    def refresh(self, *_args) -> None:
        """Show what scores, the shown case and the network say now."""
        scoring, ui = self._scoring, self.ui
        if scoring is None or scoring.item is None:
            return
        reading = scoring.reading
        ui.caseLabel.text = self._names.of_reading(reading)
        ui.sliceLabel.text = ""
        said = phrases.doubts(scoring.item, self._scoring.session.blinding)
        ui.remarksLabel.text = said
        ui.remarksLabel.visible = bool(said)
        if scoring.per_slice:
            text = _("slice {slice} (0–{last})")
            last = len(scoring.readings[reading]) - 1
            ui.sliceLabel.text = text.format(slice=scoring.item.key.slice, last=last)
        done, total, seconds = scoring.progress
        ui.progressBar.maximum = max(1, total)
        ui.progressBar.value = done
        lost = len(scoring.session.unreadable)
        ui.progressBar.format = phrases.progress(done, total, seconds, lost)
        given = self._giving.given
        self.buttons.show(None if given is None else given.score)
        self.buttons.enabled = not self._shown.problem
        self._show_details(scoring.given)
        text, colour = self._words.status()
        ui.savedLabel.text = text
        ui.savedLabel.styleSheet = f"color: {colour}; font-weight: bold;"
        ui.retryButton.visible = ui.elsewhereButton.visible = bool(scoring.unsaved)
        ui.undoButton.enabled = bool(scoring.unsaved or scoring.session.log.entries)
        ui.previousButton.enabled = reading > 0
        ui.nextButton.enabled = reading + 1 < len(scoring.readings)
        sentence, can_ask = self.network.sentence(scoring, self._shown.node)
        ui.networkLabel.text, ui.networkButton.visible = sentence, can_ask
        for row in {self._row, reading} - {None}:
            if row < len(scoring.readings):
                self.cases.show_line(row, self._line(row))
        self._row = reading
        self.cases.select(reading)
        self._shown.update()

    def list_cases(self) -> None:
        self.cases.show([self._line(reading) for reading in range(len(self._scoring.readings))])

    def _show_details(self, given: ScoreEntry | None) -> None:
        """The reader's own; they are read again only when another score has them."""
        score = None if given is None else (given.key, given.time)
        key = self._scoring.item.key
        self.details.enabled = self._giving.takes_details
        if score is None and key != self._details_of:
            self.details.show(**self._scoring.drafts.get(key, NO_DETAILS))
        elif score is not None and score != self._details_of:
            self.details.show(given.confidence, given.artefacts, given.comment)
        self._details_of = key if score is None else score

    def _line(self, reading: int) -> Line:
        scoring = self._scoring
        status, score, done = status_of(scoring.scores_of(reading))
        items = scoring.readings[reading]
        if len(items) == 1 and score is None and items[0].key in scoring.entries:
            # Imported: only a grade is known.
            done, entry = True, scoring.entries[items[0].key]
            status = grade_name(phrases.grade_of_entry(entry))
        if not done and not self._shown.is_there(items[0]):
            status = _("file missing")
        elif not done and not scoring.is_readable(reading):
            status = _("cannot be read")
        return self._names.of_reading(reading), status, score, done
