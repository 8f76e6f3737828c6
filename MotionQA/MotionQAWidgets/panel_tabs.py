"""The module's panels in tabs: only the one that is seen is entered."""

from __future__ import annotations

from collections.abc import Sequence

import qt


class PanelTabs:
    """Panels side by side, of which one is entered at a time.

    Parameters
    ----------
    panels : titles and panels; a panel has ``widget``, ``enter()``, ``leave()`` and ``dispose()``
    """

    def __init__(self, panels: Sequence[tuple[str, object]]) -> None:
        self.widget = qt.QTabWidget()
        self.widget.documentMode = True
        self._panels = [panel for _title, panel in panels]
        self._entered = None
        self._in = False
        for title, panel in panels:
            self.widget.addTab(panel.widget, title)
        self._heights = [panel.widget.sizePolicy.verticalPolicy() for panel in self._panels]
        self._fit_height()
        self.widget.currentChanged.connect(self._on_tab)

    def enter(self) -> None:
        """The module was chosen."""
        self._in = True
        self._enter_what_is_seen()

    def show(self, panel) -> None:
        """Bring a panel's tab to the front."""
        self.widget.currentIndex = self._panels.index(panel)

    def leave(self) -> None:
        """Another module was chosen: none of the panels is seen."""
        self._in = False
        self._enter_what_is_seen()

    def dispose(self) -> None:
        """The module goes."""
        self._in = False
        for panel in self._panels:
            panel.dispose()
        self._entered = None
        # A reload leaves old widgets in place, hidden: their selectors would follow the scene, and
        # their shortcuts make those of the new ones ambiguous.
        self.widget.deleteLater()

    @property
    def entered(self):
        """The panel that is entered; None while another module is shown."""
        return self._entered

    def _fit_height(self) -> None:
        """The tabs are as tall as the one in front asks: else a small window would scroll."""
        for number, panel in enumerate(self._panels):
            seen = number == self.widget.currentIndex
            across = panel.widget.sizePolicy.horizontalPolicy()
            down = self._heights[number] if seen else qt.QSizePolicy.Ignored
            panel.widget.sizePolicy = qt.QSizePolicy(across, down)

    def _on_tab(self, *_args) -> None:
        self._fit_height()
        self._enter_what_is_seen()

    def _enter_what_is_seen(self) -> None:
        wanted = self._panels[self.widget.currentIndex] if self._in else None
        if wanted is self._entered:
            return
        if self._entered is not None:
            self._entered.leave()
        self._entered = wanted
        if wanted is not None:
            wanted.enter()
