"""Volumes of a reading list in the scene: the one being read, its neighbours, one read ahead.

    volumes = CaseVolumes()
    node = volumes.node("voxels:ab12…", Path("/study/p07.nii.gz"), "Case 12")
    volumes.read_ahead("voxels:cd34…", Path("/study/p08.nii.gz"))
    volumes.close()  # none of them is left in the scene

A volume goes by the name that the reader may see. It keeps no file name, no DICOM identifiers and
no place in a saved scene: who reads blinded finds nothing about the patient in Slicer's window.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import slicer

from MotionQALib.volumes import VolumeError

from .case_files import MARK, load, parts_of, twin

KEPT = 4
"""Volumes in memory: the one shown, one before, one read ahead, one to spare."""

AHEAD = "…"


def is_case_volume(node) -> bool:
    """Whether a study shows it, rather than the user."""
    return node.GetAttribute(MARK) is not None


class CaseVolumes:
    """See the top of this file."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[str, object] = OrderedDict()  # by case; the last used comes last
        scene = slicer.mrmlScene
        self._tag = scene.AddObserver(scene.StartCloseEvent, self._on_closing)

    def node(self, key: str, source: str | Path, name: str):
        """The case's volume, under this name; read now unless it was read before.

        Parameters
        ----------
        key : of the case's content
        source : a file, a DICOM series' folder, or the ID of a volume in the scene

        Raises
        ------
        VolumeError : it cannot be read; a sentence for the reader, who sees the name only
        """
        node = self._known(key)
        if node is None:
            node = self._nodes[key] = self._read(source, name)
        self._nodes.move_to_end(key)
        for part in parts_of(node):
            if part.GetName() != name and part is not node.GetDisplayNode():
                part.SetName(name)
        self._forget_oldest(keeping=key)
        return node

    def read_ahead(self, key: str, source: str | Path) -> None:
        """Have the case's volume ready; what is wrong with it is said when its turn comes."""
        if self._known(key) is None:
            try:
                self.node(key, source, AHEAD)
            except VolumeError:
                return

    @property
    def nodes(self) -> dict[str, object]:
        """Those in memory, by case."""
        return {key: node for key in list(self._nodes) if (node := self._known(key)) is not None}

    def is_ready(self, key: str) -> bool:
        return self._known(key) is not None

    def clear(self) -> None:
        """Take all of them out of the scene."""
        while self._nodes:
            self._remove(self._nodes.popitem()[1])

    def close(self) -> None:
        self.clear()
        slicer.mrmlScene.RemoveObserver(self._tag)

    def _known(self, key: str):
        node = self._nodes.get(key)
        if node is not None and not slicer.mrmlScene.IsNodePresent(node):
            del self._nodes[key]  # the user deleted it
            return None
        return node

    def _forget_oldest(self, keeping: str) -> None:
        for key in [key for key in self._nodes if key != keeping]:
            if len(self._nodes) <= KEPT:
                return
            self._remove(self._nodes.pop(key))

    def _on_closing(self, *_args) -> None:
        self._nodes.clear()

    def _read(self, source: str | Path, name: str):
        in_scene = slicer.mrmlScene.GetNodeByID(str(source))
        node = load(Path(source), name) if in_scene is None else twin(in_scene, name)
        node.SetAttribute(MARK, "1")
        for part in parts_of(node):
            part.SaveWithSceneOff()
        return node

    @staticmethod
    def _remove(node) -> None:
        for part in parts_of(node):
            slicer.mrmlScene.RemoveNode(part)
