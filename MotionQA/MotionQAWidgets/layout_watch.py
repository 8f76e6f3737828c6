"""Hears when there are other slice views than before."""

from __future__ import annotations

from collections.abc import Callable

import slicer

from .observers import Observers


class LayoutWatch:
    """Calls when another layout is chosen, or a scene, which brings its own, has come or gone."""

    def __init__(self, call: Callable[..., object]) -> None:
        self._call, self._of_scene = call, Observers()
        layout = slicer.app.layoutManager()
        if layout is not None:  # else Slicer has no window
            layout.layoutChanged.connect(call)
        scene = slicer.mrmlScene
        for event in (scene.EndImportEvent, scene.EndCloseEvent, scene.EndRestoreEvent):
            self._of_scene.add(scene, event, call)

    def close(self) -> None:
        """Nothing is heard any more."""
        layout = slicer.app.layoutManager()
        if layout is not None:
            layout.layoutChanged.disconnect(self._call)
        self._of_scene.clear()
