"""A volume laid over another one in the slice views, which get back what they showed before."""

from __future__ import annotations

import slicer

from . import slice_geometry as geometry


class ForegroundLayer:
    """Lays one volume over another where that is the background; `hide` puts back what was there.

    A view in which the user chooses another foreground meanwhile is theirs until the next `hide`.
    """

    def __init__(self) -> None:
        self._node = None
        self._before: dict[str, tuple[str | None, float]] = {}

    def show(self, node, over, opacity: float) -> None:
        """Lay node over the volume ``over``; may be called again, with any of them changed."""
        if node is not self._node:
            self.hide()
            self._node = node
        for layers in self.composite_nodes():
            if layers.GetBackgroundVolumeID() != over.GetID():
                self._put_back(layers)
            elif layers.GetID() not in self._before:
                self._before[layers.GetID()] = self._shown_in(layers)
                _set(layers, node.GetID(), opacity)
            elif layers.GetForegroundVolumeID() == node.GetID():
                _set(layers, node.GetID(), opacity)

    def hide(self) -> None:
        for layers in self.composite_nodes():
            self._put_back(layers)
        self._node = None
        self._before = {}

    @staticmethod
    def composite_nodes() -> list:
        """What says which volumes the slice views of the layout show."""
        found = [widget.sliceLogic().GetSliceCompositeNode() for widget in geometry.slice_widgets()]
        return [node for node in found if node is not None]

    def _shown_in(self, layers) -> tuple[str | None, float]:
        volume = layers.GetForegroundVolumeID()
        if volume == self._node.GetID():  # the scene was saved with it
            return None, 0.0
        return volume, layers.GetForegroundOpacity()

    def _put_back(self, layers) -> None:
        volume_id, opacity = self._before.pop(layers.GetID(), (None, None))
        if opacity is None or self._node is None:
            return
        # Where the volume was deleted, Slicer has emptied the layer and left its opacity.
        if layers.GetForegroundVolumeID() in (self._node.GetID(), None, ""):
            there = slicer.mrmlScene.GetNodeByID(volume_id or "") is not None
            _set(layers, volume_id if there else None, opacity)


def _set(layers, volume: str | None, opacity: float) -> None:
    if (layers.GetForegroundVolumeID() or None) == volume and (
        layers.GetForegroundOpacity() == opacity
    ):
        return
    modifying = layers.StartModify()
    layers.SetForegroundVolumeID(volume)
    layers.SetForegroundOpacity(opacity)
    layers.EndModify(modifying)
