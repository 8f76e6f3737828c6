"""What goes on by itself."""

from __future__ import annotations

from host import pythonqt

pythonqt(__name__)


def timers_running(widget) -> list:
    """A widget's own timers that run."""
    import qt

    return [timer for timer in widget.findChildren(qt.QTimer) if timer.active]
