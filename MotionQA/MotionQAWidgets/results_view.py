"""What came of grading a volume, to look through: strip, table, the reader's grades, export.

view = ResultsView(results)     # results: scene_results.SceneResults
layout.addWidget(view.widget)   # strip, next worst slice, the reader's own grades
other.addWidget(view.details)   # table, name, copy, export
view.set_volume(volume_node)      # hidden while it has no result
view.enter()                    # follows the slice views ...
view.leave()                    # ... and no longer
view.close()                    # nothing is left connected
"""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from . import slice_geometry as geometry
from . import wording
from .export_button import ExportButton
from .my_grade import MyGrade
from .results_table import ResultsTable
from .scene_results import RowKey, SceneResult, SceneResults
from .slice_strip import SliceStrip
from .slice_watch import SliceWatch


class ResultsView:
    """See the top of this file."""

    def __init__(self, results: SceneResults) -> None:
        self._results = results
        self._volume = None
        self._result: SceneResult | None = None
        self._watch: SliceWatch | None = None
        self._last_worst: int | None = None
        self.widget, self.details = qt.QWidget(), qt.QWidget()
        self.strip, self.table = SliceStrip(), ResultsTable()
        self.mine = MyGrade(results, self.widget)
        self.export = ExportButton(self.details)
        self.next_button = qt.QPushButton(_("Next worst slice"))
        self.copy_button = qt.QPushButton(_("Copy"))
        self.copy_button.toolTip = _(
            "Copy the table to the clipboard, to paste into a spreadsheet."
        )
        self.message = qt.QLabel()
        self._lay_out()
        self.next_button.clicked.connect(self._on_next)
        self.copy_button.clicked.connect(self._on_copy)
        for part in (self.strip, self.table):
            part.chosen.connect(self._go_to)
            part.menu_wanted.connect(self._on_menu)
        self.export.said.connect(self._say)
        results.changed.connect(self.refresh)
        self._show(None)

    # Coming and going

    def set_volume(self, volume_node) -> None:
        if volume_node is not self._volume:
            self._volume, self._last_worst = volume_node, None
            self._say("")
        self.refresh()

    def enter(self) -> None:
        if self._watch is None:
            self._watch = SliceWatch()
            self._watch.changed.connect(self._mark)
            self._watch.follow(self._result)
            self._mark()

    def leave(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def close(self) -> None:
        self.leave()
        self.export.close()
        self._results.changed.disconnect(self.refresh)
        self._volume = self._result = None  # the widgets may be dead by now

    # What is shown

    def refresh(self, *_args) -> None:
        """Show what the scene holds of the volume now."""
        result = self._results.result_for(self._volume)
        if result is not self._result:
            self._show(result)

    def _show(self, result: SceneResult | None) -> None:
        self._result = result
        self.widget.visible = self.details.visible = result is not None
        self.strip.show(result)
        self.table.show(result)
        self.export.show(result)
        self._show_next()
        if self._watch is not None:
            self._watch.follow(result)
        self._mark()

    def _mark(self) -> None:
        """Follow what the slice views show."""
        place = self._shown_place()
        if self._result is not None and self._watch is not None:
            self.strip.mark(self._watch.frame, self._watch.index)
        self.mine.show(self._result, place)

    def _shown_place(self) -> RowKey | None:
        watch = self._watch
        if watch is None or self._result is None or None in (watch.frame, watch.index):
            return None
        return watch.frame, watch.index

    def _say(self, sentence: str) -> None:
        self.message.text = sentence
        self.message.visible = bool(sentence)

    # Where the user goes

    def _go_to(self, frame: int, index: int) -> None:
        result = self._result
        volume = result.volume_node
        result.show_frame(frame)
        shown = [geometry.shown_volumes(widget) for widget in geometry.slice_widgets()]
        if not any(volume in volumes for volumes in shown):
            slicer.util.setSliceViewerLayers(background=volume, fit=True)
        geometry.jump_to(volume, index, result.slice_axis)

    def _next(self) -> int:
        """The slice after the one visited last, from the worst one on and round again."""
        order = self._result.assessment.slices_from_worst
        last = order.index(self._last_worst) if self._last_worst in order else -1
        return order[(last + 1) % len(order)]

    def _show_next(self) -> None:
        result = self._result
        button = self.next_button
        button.enabled = result is not None and result.assessment.n_slices > 1
        if result is None:
            button.toolTip = _("Grade the volume first.")
        elif not button.enabled:
            button.toolTip = _("The volume has one slice only.")
        else:
            index = self._next()
            frame = int(result.assessment.worst_frames[index])
            row, override = result.row_for(frame, index), result.override_for(frame, index)
            frames = result.assessment.n_frames
            if row is None:
                about = wording.no_grade(frame, index, frames)
            else:
                about = wording.summary(row, override, frames)
            button.toolTip = _("Slice by slice from the worst on; next: {place}").format(
                place=about
            )

    def _on_next(self, *_args) -> None:
        index = self._last_worst = self._next()
        self._go_to(int(self._result.assessment.worst_frames[index]), index)
        self._show_next()

    def _on_copy(self, *_args) -> None:
        self.table.copy()
        self._say(_("Copied."))

    def _on_menu(self, frame: int | None, index: int | None, point) -> None:
        self.mine.popup((frame, index), point)

    # Layout

    def _lay_out(self) -> None:
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.spacing = 4
        column.addWidget(self.strip.widget)
        column.addLayout(
            _row(self.next_button, 1, self.mine.slice_button, 1, self.mine.volume_button, 1)
        )
        column = qt.QVBoxLayout(self.details)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table.widget)
        reader = qt.QLabel(_("Reader:"))
        reader.setBuddy(self.mine.name_edit)
        column.addLayout(
            _row(reader, 0, self.mine.name_edit, 1, self.copy_button, 0, self.export.button, 0)
        )
        self.message.wordWrap = True
        self.message.textInteractionFlags = qt.Qt.TextSelectableByMouse
        column.addWidget(self.message)
        column.addStretch(1)


def _row(*parts):
    """Widgets, each followed by its stretch, side by side."""
    row = qt.QHBoxLayout()
    for widget, stretch in zip(parts[::2], parts[1::2], strict=True):
        row.addWidget(widget, stretch)
    return row
