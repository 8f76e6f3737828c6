"""The reader's keys: they work wherever the focus is, but never where text is typed."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer

TYPED_INTO = ("QLineEdit", "QTextEdit", "QPlainTextEdit", "QAbstractSpinBox")
PRESSED_BY_SPACE = "QAbstractButton"


class Shortcuts:
    """Keys that belong to a widget, and are dead unless it is shown and they are switched on.

    They are the application's, so that they work from slice views in other windows too; Qt itself
    keeps an application's shortcut from acting while the widget that owns it is hidden, or lies
    under a modal dialog.

    Parameters
    ----------
    owner : the widget
    actions : what each key does; digits are those of the number pad, too
    """

    def __init__(self, owner, actions: dict[str, Callable[[], object]]) -> None:
        self._shortcuts: dict[str, object] = {}
        self._active = False
        for key, action in actions.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), owner)
            shortcut.context = qt.Qt.ApplicationShortcut
            shortcut.autoRepeat = False  # a key held down is one score
            shortcut.enabled = False
            # Ambiguous: another extension listens for the same key. It is the reader's now.
            for signal in (shortcut.activated, shortcut.activatedAmbiguously):
                signal.connect(lambda *_args, call=action: call())
            self._shortcuts[key] = shortcut
        slicer.app.focusChanged.connect(self._on_focus)

    @property
    def active(self) -> bool:
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = bool(active)
        self._enable(qt.QApplication.focusWidget())

    @property
    def typing(self) -> bool:
        """Whether the user writes text somewhere."""
        return _is_typing(qt.QApplication.focusWidget())

    def close(self) -> None:
        """No key does anything any more; may be called twice."""
        if not self._shortcuts:
            return
        self.active = False
        slicer.app.focusChanged.disconnect(self._on_focus)
        for shortcut in self._shortcuts.values():
            shortcut.deleteLater()
        self._shortcuts = {}

    def _on_focus(self, _before, now) -> None:
        self._enable(now)

    def _enable(self, focus) -> None:
        typing = _is_typing(focus)
        for key, shortcut in self._shortcuts.items():
            pressing = key == "Space" and focus is not None and focus.inherits(PRESSED_BY_SPACE)
            shortcut.enabled = self._active and not typing and not pressing


def _is_typing(focus) -> bool:
    return focus is not None and any(focus.inherits(kind) for kind in TYPED_INTO)
