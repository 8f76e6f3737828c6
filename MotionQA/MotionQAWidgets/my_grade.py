"""The reader's own grade of a slice or of the volume, beside the network's.

mine = MyGrade(results, parent)
mine.name_edit, mine.slice_button, mine.volume_button  # to be laid out
mine.show(result, place)  # SceneResult or None; (frame, slice) that is shown, or None
mine.popup(place, point)  # the same menu for a place of the strip or the table
"""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.scale import SCORES, grade_of

from . import reader_name, wording
from .scene_results import RowKey, SceneResult, SceneResults

VOLUME: RowKey = (None, None)


class MyGrade:
    """Two buttons, a menu of the scale, and the name that goes with a grade."""

    def __init__(self, results: SceneResults, parent) -> None:
        self._results, self._parent = results, parent
        self._result: SceneResult | None = None
        self._place: RowKey | None = None
        self.name_edit = qt.QLineEdit(reader_name.remembered())
        self.name_edit.placeholderText = _("your name")
        self.name_edit.toolTip = _("Stands beside every grade that you give; remembered.")
        self.name_edit.editingFinished.connect(self._on_name)
        self.slice_button, self.volume_button = qt.QPushButton(), qt.QPushButton()
        for button, place_of in (
            (self.slice_button, lambda: self._place),
            (self.volume_button, lambda: VOLUME),
        ):
            menu = qt.QMenu(button)
            menu.aboutToShow.connect(
                lambda menu=menu, place_of=place_of: self._fill(menu, place_of())
            )
            button.setMenu(menu)
        self.menu = qt.QMenu(parent)

    @property
    def reader(self) -> str:
        return self.name_edit.text.strip()

    def show(self, result: SceneResult | None, place: RowKey | None) -> None:
        self._result, self._place = result, place
        graded = result is not None and place is not None
        self.slice_button.enabled = graded
        self.slice_button.toolTip = (
            _("Your own grade of {place}; the network's stays.").format(place=self._named(place))
            if graded
            else _("Show a graded slice in a slice view first.")
        )
        self.slice_button.text = self._said(_("Slice {slice}"), place if graded else None)
        self.volume_button.enabled = result is not None
        self.volume_button.toolTip = _("Your own grade of the volume; the network's stays.")
        self.volume_button.text = self._said(_("Volume"), None if result is None else VOLUME)

    def popup(self, place: RowKey, point) -> None:
        self._fill(self.menu, place)
        self.menu.popup(point)

    # Within

    def _named(self, place: RowKey) -> str:
        return wording.place(*place, self._result.assessment.n_frames)

    def _said(self, name: str, place: RowKey | None) -> str:
        """A button's text, such as "Slice 4: 2 · severe"."""
        index = "–" if place is None else place[1]
        override = None if place is None else self._result.override_for(*place)
        grade = _("my grade") if override is None else wording.override_in_words(override)
        return _("{name}: {grade}").format(name=name.format(slice=index), grade=grade)

    def _fill(self, menu, place: RowKey | None) -> None:
        menu.clear()
        if self._result is None or place is None:
            return
        mine = self._result.override_for(*place)
        title = _("My grade of {place}").format(place=self._named(place))
        if not self.reader:
            title = _("Type your name first")
        menu.addAction(title).enabled = False
        for score in reversed(SCORES):
            action = menu.addAction(score_in_words(score))
            action.checkable = True
            action.checked = mine is not None and mine.score == score
            action.enabled = bool(self.reader)
            action.triggered.connect(lambda *_args, score=score: self._give(place, score))
        menu.addSeparator()
        remove = menu.addAction(_("Remove my grade"))
        if mine is not None and mine.reader != self.reader:
            remove.text = _("Remove {reader}'s grade").format(reader=mine.reader)
        remove.enabled = mine is not None
        remove.triggered.connect(lambda *_args: self._remove(place))

    def _give(self, place: RowKey, score: int) -> None:
        text = _("{reader} gave {place} the grade {grade} ({time}). Replace it by yours?")
        if self._agreed(place, text):
            node = self._result.volume_node
            self._results.set_override(node, *place, score=score, reader=self.reader)

    def _remove(self, place: RowKey) -> None:
        text = _("{reader} gave {place} the grade {grade} ({time}). Remove it?")
        if self._agreed(place, text):
            self._results.clear_override(self._result.volume_node, *place)

    def _agreed(self, place: RowKey, text: str) -> bool:
        """Another reader's grade goes only when asked for.

        What the menu or the question was opened for may have gone before they are answered.
        """
        mine = self._result.override_for(*place) if self._is_there(place) else None
        if mine is not None and mine.reader != self.reader:
            text = text.format(
                reader=mine.reader,
                place=self._named(place),
                grade=wording.override_in_words(mine),
                time=mine.time[:16].replace("T", " "),
            )
            if not slicer.util.confirmOkCancelDisplay(text, _("MotionQA"), parent=self._parent):
                return False
        return self._is_there(place)

    def _is_there(self, place: RowKey) -> bool:
        return self._result is not None and place in self._result.rows

    def _on_name(self) -> None:
        reader_name.remember(self.reader)


def score_in_words(score: int) -> str:
    """Such as "2 · poor (severe)"."""
    text = _("{score} · {word} ({grade})")
    grade = wording.grade_name(grade_of(score))
    return text.format(score=score, word=wording.score_word(score), grade=grade)
