"""Which slice and frame of a volume the slice views show now.

watch = SliceWatch()
watch.changed.connect(f)   # f(): another slice or frame is shown
watch.follow(result)       # SceneResult, or None
watch.index, watch.frame   # index: None where no view shows one of its slices
watch.close()              # nothing is observed any more
"""

from __future__ import annotations

import slicer

from MotionQALib.signals import Signal

from . import slice_geometry as geometry
from .layout_watch import LayoutWatch
from .observers import Observers
from .scene_results import SceneResult

MODIFIED = "ModifiedEvent"


class SliceWatch:
    """Where several views show slices of the volume, the one scrolled last counts."""

    def __init__(self) -> None:
        self.changed = Signal()
        self.index: int | None = None
        self.frame: int | None = None
        self._result: SceneResult | None = None
        self._scrolled: str | None = None
        self._of_scene, self._of_views, self._of_volume = Observers(), Observers(), Observers()
        self._layout = LayoutWatch(self._attach)
        scene = slicer.mrmlScene
        self._of_scene.add(scene, scene.EndBatchProcessEvent, self._look)
        self._attach()

    def follow(self, result: SceneResult | None) -> None:
        self._result = result
        self._of_volume.clear()
        if result is not None:
            result.follow(self._of_volume, self._look)
        self._look()

    def close(self) -> None:
        self._layout.close()
        for observers in (self._of_scene, self._of_views, self._of_volume):
            observers.clear()
        self.changed.disconnect()
        self._result = None

    def _attach(self, *_args) -> None:
        self._of_views.clear()
        for widget in geometry.slice_widgets():
            self._of_views.add(widget.mrmlSliceNode(), MODIFIED, self._on_scrolled)
            layers = widget.sliceLogic().GetSliceCompositeNode()
            if layers is not None:
                self._of_views.add(layers, MODIFIED, self._look)
        self._look()

    def _on_scrolled(self, slice_node, _event) -> None:
        self._scrolled = slice_node.GetID()
        self._look()

    def _look(self, *_args) -> None:
        if slicer.mrmlScene.IsBatchProcessing():
            return
        result = self._result
        frame = None if result is None else result.current_frame
        now = (None if result is None else self._shown_index(result), frame)
        if now != (self.index, self.frame):
            self.index, self.frame = now
            self.changed.emit()

    def _shown_index(self, result: SceneResult) -> int | None:
        found: dict[str, int] = {}
        for widget in geometry.slice_widgets():
            if result.volume_node in geometry.shown_volumes(widget):
                node = widget.mrmlSliceNode()
                index = geometry.slice_index(node, result.volume_node, result.slice_axis)
                if index is not None and 0 <= index < result.assessment.n_slices:
                    found[node.GetID()] = index
        return found.get(self._scrolled, next(iter(found.values()), None))
