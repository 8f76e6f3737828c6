"""Hears of what the panel waits for: a volume while none is chosen, an image in an empty one."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
import vtk

from .observers import Observers
from .volume_input import is_candidate


class NewVolumes:
    """Observes only while something is waited for: a cine that plays changes its image all along.

    Parameters
    ----------
    volume_came : told a volume that was opened while none was chosen
    image_came : called when the chosen volume has got its image
    """

    def __init__(self, volume_came: Callable, image_came: Callable[..., object]) -> None:
        self._volume_came, self._image_came = volume_came, image_came
        self._observers = Observers()
        self._awaited: str | None = None

    def wait_for(self, volume) -> None:
        """Wait for what the chosen volume lacks; None: for a volume."""
        if volume is None:
            awaited = "any"
        else:
            awaited = volume.GetID() if volume.GetImageData() is None else None
        if awaited == self._awaited:
            return
        self.close()
        self._awaited = awaited
        if volume is None:
            scene = slicer.mrmlScene
            self._observers.add(scene, scene.NodeAddedEvent, self._on_node)
        elif awaited is not None:
            event = slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent
            self._observers.add(volume, event, self._image_came)

    def close(self) -> None:
        self._observers.clear()
        self._awaited = None

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node(self, scene, _event, node) -> None:
        if is_candidate(node) and not scene.IsBatchProcessing():
            name = node.GetID()
            qt.QTimer.singleShot(0, lambda: self._tell(name))  # when it has been read

    def _tell(self, name: str) -> None:
        node = slicer.mrmlScene.GetNodeByID(name)
        if self._awaited == "any" and is_candidate(node):
            self._volume_came(node)
