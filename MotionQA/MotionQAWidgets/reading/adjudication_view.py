"""Where an adjudicator settles what the readers said, case by case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
from slicer.i18n import tr as _

from MotionQALib.reading.consensus import ConsensusItem
from MotionQALib.reading.score_entry import ItemKey
from MotionQALib.scale import SCORES
from MotionQALib.signals import Signal

from . import phrases
from .score_buttons import score_in_words


class AdjudicationView:
    """A table of items with the readers' scores side by side, and a row of scores to settle one.

    Signals
    -------
    started() : the user wants to adjudicate, or to stop it
    chosen(row) : the user clicked on one
    settled(score) : of the chosen one
    unanimous() : settle what all agree on
    undone()

    Attributes
    ----------
    items : what the table shows, by row
    content : table and buttons, which are seen while somebody adjudicates
    """

    def __init__(self, frame) -> None:
        self.started, self.chosen, self.settled = Signal(), Signal(), Signal()
        self.unanimous, self.undone = Signal(), Signal()
        self.items: list[ConsensusItem] = []
        self._readers: Sequence[str] = ()
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
        self.content = qt.QWidget()
        column.addWidget(self.content)
        inner = qt.QVBoxLayout(self.content)
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

    def show(
        self,
        items: Sequence[ConsensusItem],
        readers: Sequence[str],
        name_of: Callable[[ItemKey], str],
    ) -> None:
        """Show items with their scores; none hides the table. Only rows that differ are written."""
        before = self.items if (readers, len(items)) == (self._readers, len(self.items)) else []
        self.items, self._readers = [], readers  # no row is chosen meanwhile
        self.content.visible = bool(items)
        self.start_button.text = _("Stop adjudicating") if items else _("Adjudicate…")
        if not before:
            titles = [_("Case"), *readers, _("Consensus")]
            self.table.columnCount = len(titles)
            self.table.setHorizontalHeaderLabels(titles)
            self.table.rowCount = len(items)
        for row, item in enumerate(items):
            if not before or before[row] != item:
                self._fill(row, item, name_of(item.key))
        if not before:
            self.table.resizeColumnsToContents()
        self.items = list(items)

    def say(self, sentence: str) -> None:
        self.label.text = sentence
        self.label.visible = bool(sentence)

    def select(self, row: int) -> None:
        self.table.setCurrentCell(row, 0)

    def _fill(self, row: int, item: ConsensusItem, name: str) -> None:
        said = (item.entries.get(reader) for reader in self._readers)
        for column, text in enumerate([name, *map(_short, said), _short(item.settled)]):
            cell = qt.QTableWidgetItem(text)
            if item.spread > 1 and item.settled is None:
                font = cell.font()
                font.setBold(True)
                cell.setFont(font)
            self.table.setItem(row, column, cell)

    def _on_chosen(self, row: int, *_args) -> None:
        if 0 <= row < len(self.items):
            self.chosen.emit(row)


def _button(text: str, name: str, signal: Signal):
    button = qt.QPushButton(text)
    button.name = name
    button.clicked.connect(lambda *_args: signal.emit())
    return button


def _short(entry) -> str:
    if entry is None:
        return ""
    return phrases.entry(entry) if entry.score is None else str(entry.score)
