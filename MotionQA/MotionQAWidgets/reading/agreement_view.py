"""How well the readers agree: figures, confusion matrices, and the cases on which they do not."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from MotionQALib.reading import agreement_report
from MotionQALib.reading.agreement import Report
from MotionQALib.reading.agreement_statistics import TITLES
from MotionQALib.reading.reading_errors import ReadingError
from MotionQALib.signals import Signal

from ..confusion_picture import confusion_picture, summary
from .files_view import file_to_write

COLUMNS = 2
SHOWN = tuple(TITLES)


class AgreementView:
    """A table, drawings and a list in a frame.

    Signals
    -------
    asked() : the user wants the figures anew
    chosen(Disagreement) : the user clicked on one

    Attributes
    ----------
    report : what is shown; None where nothing is
    """

    def __init__(self, frame) -> None:
        self.asked, self.chosen = Signal(), Signal()
        self.report: Report | None = None
        self._frame = frame
        column = qt.QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        row = qt.QHBoxLayout()
        self.button = qt.QPushButton(_("Compare the readers"))
        self.button.name = "compareButton"
        self.button.clicked.connect(lambda *_args: self.asked.emit())
        self.export = qt.QPushButton(_("Save report…"))
        self.export.name = "reportButton"
        self.export.toolTip = _("A page with all figures, for a browser or for printing.")
        self.export.enabled = False
        self.export.clicked.connect(self._on_export)
        for button in (self.button, self.export):
            row.addWidget(button)
        column.addLayout(row)
        self.label = qt.QLabel()
        self.label.wordWrap = True
        column.addWidget(self.label)
        self.table = _table([_("Compared"), "n", *(TITLES[name] for name in SHOWN)])
        self.table.name = "agreementTable"
        column.addWidget(self.table)
        self.pictures = qt.QGridLayout()
        column.addLayout(self.pictures)
        self.far_apart = _table([_("Two scores apart or more"), _("Slice"), _("Scores")])
        self.far_apart.name = "disagreementsTable"
        self.far_apart.toolTip = _("Click to see the case.")
        self.far_apart.cellClicked.connect(self._on_chosen)
        column.addWidget(self.far_apart)
        self.show(None)

    def show(
        self, report: Report | None, sentence: str = "", name_of: Callable[[str], str] = str
    ) -> None:
        """Show figures, or a sentence that says why there are none.

        Parameters
        ----------
        name_of : what the reader may call a case, from its key
        """
        self.report = report
        self.export.enabled = report is not None
        remarks = () if report is None else report.remarks
        self.label.text = " ".join(said for said in (sentence, *remarks) if said)
        self.label.visible = bool(self.label.text)
        scored = [] if report is None else [c for c in report.comparisons if c.scale == "score"]
        self.table.visible = bool(scored)
        self.table.rowCount = len(scored)
        for row, comparison in enumerate(scored):
            values = comparison.values
            figures = [agreement_report.shown(name, values[name]) for name in SHOWN]
            figures = [figure.replace(" (", "\n(") for figure in figures]  # two short lines
            _fill(self.table, row, [comparison.title, str(comparison.n), *figures])
        self.table.resizeColumnsToContents()
        self.table.resizeRowsToContents()
        self._draw([c for c in scored if c.confusion is not None])
        far = [] if report is None else report.disagreements
        self.far_apart.visible = bool(far)
        self.far_apart.rowCount = len(far)
        for row, one in enumerate(far):
            said = ", ".join(f"{reader} {score}" for reader, score in one.scores.items())
            key = "" if one.slice is None else str(one.slice)
            _fill(self.far_apart, row, [name_of(one.case), key, said])
        self.far_apart.resizeColumnsToContents()

    def _draw(self, comparisons) -> None:
        while self.pictures.count():
            self.pictures.takeAt(0).widget().deleteLater()
        for number, comparison in enumerate(comparisons):
            names = comparison.raters if len(comparison.raters) == 2 else comparison.raters * 2
            label = qt.QLabel()
            label.pixmap = confusion_picture(comparison.confusion, comparison.categories, *names)
            label.toolTip = summary(comparison.confusion, *names)
            self.pictures.addWidget(label, number // COLUMNS, number % COLUMNS)

    def _on_chosen(self, row: int, *_args) -> None:
        self.chosen.emit(self.report.disagreements[row])

    def _on_export(self, *_args) -> None:
        title, kind = _("Save the report"), _("Pages (*.html)")
        path = file_to_write(self._frame, title, "agreement.html", kind)
        if not path:
            return
        try:
            agreement_report.write_html(self.report, path)
        except (ReadingError, OSError) as error:
            self.label.text = str(error)
        else:
            self.label.text = _("Saved as {file}").format(file=path)
        self.label.visible = True


def _table(titles: list[str]):
    table = qt.QTableWidget()
    table.columnCount = len(titles)
    table.setHorizontalHeaderLabels(titles)
    table.verticalHeader().visible = False
    table.editTriggers = qt.QAbstractItemView.NoEditTriggers
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    table.focusPolicy = qt.Qt.TabFocus
    table.minimumHeight = 120
    return table


def _fill(table, row: int, cells: list[str]) -> None:
    for column, text in enumerate(cells):
        table.setItem(row, column, qt.QTableWidgetItem(text))
