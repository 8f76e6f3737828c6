"""What a reader may add to a score: how sure, which artefacts, and a comment."""

from __future__ import annotations

from collections.abc import Iterable

import qt
from slicer.i18n import tr as _

from MotionQALib.signals import Signal


def artefact_words() -> dict[str, str]:
    """The kinds of `MotionQALib.reading.score_entry.ARTEFACTS`, as a reader calls them."""
    return {
        "ghosting": _("respiratory ghosting"),
        "blur": _("blur"),
        "mistriggering": _("mistriggering"),
        "flow": _("flow"),
        "banding": _("banding"),
        "wrap": _("wrap-around"),
        "low_signal": _("low signal"),
        "other": _("other"),
    }


def confidence_words() -> dict[int, str]:
    return {3: _("sure"), 2: _("fairly sure"), 1: _("guessed")}


class DetailsForm:
    """Widgets in a frame.

    Signals
    -------
    changed() : by the user; a comment counts once it is finished
    done() : Enter was pressed in the comment
    """

    def __init__(self, frame) -> None:
        self.changed, self.done = Signal(), Signal()
        self._frame, self._showing = frame, False
        form = qt.QFormLayout(frame)
        form.setContentsMargins(0, 0, 0, 0)
        self.confidence = qt.QComboBox()
        self.confidence.name = "confidenceComboBox"
        self.confidence.focusPolicy = qt.Qt.TabFocus
        self.confidence.addItem(_("not said"), 0)
        for value, words in confidence_words().items():
            self.confidence.addItem(words, value)
        self.confidence.activated.connect(self._on_changed)
        form.addRow(_("Confidence:"), self.confidence)
        grid = qt.QGridLayout()
        self.artefacts = {}
        for number, (kind, words) in enumerate(artefact_words().items()):
            box = self.artefacts[kind] = qt.QCheckBox()
            box.text = words
            box.name = f"{kind}CheckBox"
            box.focusPolicy = qt.Qt.TabFocus  # a click leaves the keys to the image
            box.clicked.connect(self._on_changed)
            grid.addWidget(box, number // 2, number % 2)
        form.addRow(grid)
        self.comment = qt.QLineEdit()
        self.comment.name = "commentLineEdit"
        self.comment.placeholderText = _("Comment; Enter when done")
        self.comment.editingFinished.connect(self.finish)
        self.comment.returnPressed.connect(lambda *_args: self.done.emit())
        form.addRow(self.comment)

    def show(self, confidence: int | None, artefacts: Iterable[str], comment: str) -> None:
        self._showing = True
        self.confidence.currentIndex = max(0, self.confidence.findData(confidence or 0))
        chosen = set(artefacts)
        for kind, box in self.artefacts.items():
            box.checked = kind in chosen
        if self.comment.text != comment:
            self.comment.text = comment
        self._comment = comment
        self._showing = False

    @property
    def enabled(self) -> bool:
        return self._frame.enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._frame.enabled = bool(enabled)

    def values(self) -> dict[str, object]:
        """Fields of `MotionQALib.reading.score_entry.Entry`."""
        return {
            "confidence": self.confidence.currentData or None,
            "artefacts": tuple(kind for kind, box in self.artefacts.items() if box.checked),
            "comment": self.comment.text.strip(),
        }

    def finish(self, *_args) -> None:
        """Take a comment that is still being typed; Qt calls it whenever the field is left."""
        if self.comment.text.strip() != self._comment:
            self._comment = self.comment.text.strip()
            self._on_changed()

    def _on_changed(self, *_args) -> None:
        if not self._showing:
            self.changed.emit()

    _comment = ""
