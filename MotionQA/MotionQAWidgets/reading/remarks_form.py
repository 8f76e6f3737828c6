"""What a reader may add to a score: how sure, which artefacts, and a comment."""

from __future__ import annotations

from collections.abc import Iterable

import qt
from slicer.i18n import tr as _

from ..signals import Signal


class RemarksForm:
    """Widgets in a frame.

    Signals
    -------
    changed() : by the user; a comment counts once it is finished
    """

    def __init__(self, frame, artefacts: Iterable[tuple[str, str]]) -> None:
        self.changed = Signal()
        self._showing = False
        form = qt.QFormLayout(frame)
        form.setContentsMargins(0, 0, 0, 0)
        self.confidence = qt.QComboBox()
        self.confidence.name = "confidenceComboBox"
        self.confidence.focusPolicy = qt.Qt.TabFocus
        for text, value in (
            (_("not said"), None),
            (_("sure"), 3),
            (_("fairly sure"), 2),
            (_("unsure"), 1),
        ):
            self.confidence.addItem(text, value)
        self.confidence.activated.connect(self._onChanged)
        form.addRow(_("Confidence:"), self.confidence)
        grid = qt.QGridLayout()
        self.artefacts = {}
        for number, (kind, words) in enumerate(artefacts):
            box = self.artefacts[kind] = qt.QCheckBox()
            box.text = words
            box.name = f"{kind}CheckBox"
            box.focusPolicy = qt.Qt.TabFocus  # a click leaves the keys to the image
            box.clicked.connect(self._onChanged)
            grid.addWidget(box, number // 2, number % 2)
        form.addRow(grid)
        self.comment = qt.QLineEdit()
        self.comment.name = "commentLineEdit"
        self.comment.placeholderText = _("Comment; Enter when done")
        self.comment.editingFinished.connect(self._onComment)
        form.addRow(self.comment)

    def show(self, confidence: int | None, artefacts: Iterable[str], comment: str) -> None:
        self._showing = True
        self.confidence.currentIndex = max(0, self.confidence.findData(confidence))
        chosen = set(artefacts)
        for kind, box in self.artefacts.items():
            box.checked = kind in chosen
        if self.comment.text != comment:
            self.comment.text = comment
        self._comment = comment
        self._showing = False

    def values(self) -> dict:
        """confidence, artefacts, comment."""
        return {
            "confidence": self.confidence.currentData,
            "artefacts": tuple(kind for kind, box in self.artefacts.items() if box.checked),
            "comment": self.comment.text.strip(),
        }

    def _onComment(self, *_args) -> None:
        # Qt says so, too, when the field only loses the focus.
        if self.comment.text.strip() != self._comment:
            self._comment = self.comment.text.strip()
            self._onChanged()

    def _onChanged(self, *_args) -> None:
        if not self._showing:
            self.changed.emit()

    _comment = ""
