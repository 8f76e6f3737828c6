"""Where an adjudicator settles what the readers said, case by case."""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

from MotionQALib.reading.consensus import Docket
from MotionQALib.scale import SCORES

from ..signals import Signal
from . import phrases
from .score_buttons import score_in_words


class ConsensusView:
    """A table of places with the readers' scores side by side, and a row of scores to settle one.

    Signals
    -------
    started() : the user wants to adjudicate, or to stop it
    chosen(Docket) : the user clicked on one
    settled(score) : of the chosen one
    unanimous() : settle what all agree on
    undone()

    Attributes
    ----------
    dockets : the places in the table, by row
    """

    def __init__(self, frame) -> None:
        self.started, self.chosen, self.settled = Signal(), Signal(), Signal()
        self.unanimous, self.undone = Signal(), Signal()
        self.dockets: list[Docket] = []
        self._readers, self._name_of = (), str
        column = qt.QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        self.start_button = _button(_("Adjudicate…"), "adjudicateButton", self.started)
        self.start_button.toolTip = _(
            "See all readers' scores and settle them. Whoever still reads should not."
        )
        column.addWidget(self.start_button)
        self.label = qt.QLabel()
        self.label.wordWrap = True
        column.addWidget(self.label)
        self.desk = qt.QWidget()
        column.addWidget(self.desk)
        inner = qt.QVBoxLayout(self.desk)
        inner.setContentsMargins(0, 0, 0, 0)
        self.table = qt.QTableWidget()
        self.table.name = "consensusTable"
        self.table.editTriggers = qt.QAbstractItemView.NoEditTriggers
        self.table.selectionBehavior = qt.QAbstractItemView.SelectRows
        self.table.selectionMode = qt.QAbstractItemView.SingleSelection
        self.table.verticalHeader().visible = False
        self.table.minimumHeight = 160
        self.table.currentCellChanged.connect(self._on_chosen)
        inner.addWidget(self.table)
        row = qt.QHBoxLayout()
        self.buttons = {}
        for score in reversed(SCORES):
            button = self.buttons[score] = qt.QPushButton(str(score))
            button.name = f"settle{score}Button"
            button.toolTip = score_in_words(score)
            button.minimumHeight = button.minimumWidth = 32  # five fit into a narrow panel
            button.focusPolicy = qt.Qt.NoFocus
            button.clicked.connect(lambda *_args, score=score: self.settled.emit(score))
            row.addWidget(button)
        inner.addLayout(row)
        row = qt.QHBoxLayout()
        text = _("Settle what all agree on")
        row.addWidget(_button(text, "unanimousButton", self.unanimous))
        row.addWidget(_button(_("Undo"), "undoConsensusButton", self.undone))
        inner.addLayout(row)
        self.show((), [], str)

    def show(self, dockets: Sequence[Docket], readers: Sequence[str], name_of) -> None:
        """Show places with their scores; none hides the table."""
        self.dockets, self._readers, self._name_of = [], readers, name_of
        self.desk.visible = bool(dockets)
        self.start_button.text = _("Stop adjudicating") if dockets else _("Adjudicate…")
        table = self.table
        titles = [_("Case"), *readers, _("Consensus")]
        table.columnCount = len(titles)
        table.setHorizontalHeaderLabels(titles)
        table.rowCount = len(dockets)
        for row, docket in enumerate(dockets):
            self._fill(row, docket)
        table.resizeColumnsToContents()
        self.dockets = list(dockets)

    def update(self, row: int, docket: Docket) -> None:
        """Show what has become of one place."""
        self.dockets[row] = docket
        self._fill(row, docket)

    def say(self, sentence: str) -> None:
        self.label.text = sentence
        self.label.visible = bool(sentence)

    def select(self, row: int) -> None:
        self.table.setCurrentCell(row, 0)

    @property
    def current(self) -> Docket | None:
        row = self.table.currentRow()
        return self.dockets[row] if 0 <= row < len(self.dockets) else None

    def _fill(self, row: int, docket: Docket) -> None:
        said = (docket.entries.get(reader) for reader in self._readers)
        cells = [self._name_of(docket), *map(_short, said), _short(docket.settled)]
        for column, text in enumerate(cells):
            cell = qt.QTableWidgetItem(text)
            if docket.spread > 1 and docket.settled is None:
                font = cell.font()
                font.setBold(True)
                cell.setFont(font)
            self.table.setItem(row, column, cell)

    def _on_chosen(self, *_args) -> None:
        if self.current is not None:
            self.chosen.emit(self.current)


def _button(text: str, name: str, signal: Signal):
    button = qt.QPushButton(text)
    button.name = name
    button.clicked.connect(lambda *_args: signal.emit())
    return button


def _short(entry) -> str:
    if entry is None:
        return ""
    return phrases.entry(entry) if entry.score is None else str(entry.score)
