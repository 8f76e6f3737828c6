"""Volumes of a reading list in the scene: the one being read, its neighbours, one read ahead.

    volumes = CaseVolumes()
    node = volumes.node("voxels:ab12…", Path("/study/p07.nii.gz"), "Case 12")
    volumes.readAhead("voxels:cd34…", Path("/study/p08.nii.gz"))
    volumes.close()  # none of them is left in the scene

A volume goes by the name that the reader may see. It keeps no file name, no DICOM identifiers and
no place in a saved scene: who reads blinded finds nothing about the patient in Slicer's window.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from MotionQALib.formats.kinds import is_dicom
from MotionQALib.volumes import VolumeError

from .. import cine_reader

KEPT = 4
"""Volumes in memory: the one shown, one before, one read ahead, one to spare."""

AUTO_WINDOW_LEVEL = 8  # vtkSlicerVolumesLogic::AutoWindowLevel; Python has no name for it
AHEAD = "…"
MARK = "MotionQA.Case"


def isCaseVolume(node) -> bool:
    """Whether a study shows it, rather than the user."""
    return node.GetAttribute(MARK) is not None


class CaseVolumes:
    """See the top of this file."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[str, object] = OrderedDict()  # by case; the last used comes last
        scene = slicer.mrmlScene
        self._tag = scene.AddObserver(scene.StartCloseEvent, self._onClosing)

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
        for part in _parts(node):
            if part.GetName() != name and part is not node.GetDisplayNode():
                part.SetName(name)
        self._forgetOldest(keeping=key)
        return node

    def readAhead(self, key: str, source: str | Path) -> None:
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

    def isReady(self, key: str) -> bool:
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

    def _forgetOldest(self, keeping: str) -> None:
        for key in [key for key in self._nodes if key != keeping]:
            if len(self._nodes) <= KEPT:
                return
            self._remove(self._nodes.pop(key))

    def _onClosing(self, *_args) -> None:
        self._nodes.clear()

    def _read(self, source: str | Path, name: str):
        inScene = slicer.mrmlScene.GetNodeByID(str(source))
        node = _twin(inScene, name) if inScene is not None else _load(Path(source), name)
        node.SetAttribute(MARK, "1")
        for part in _parts(node):
            part.SaveWithSceneOff()
        return node

    @staticmethod
    def _remove(node) -> None:
        for part in _parts(node):
            slicer.mrmlScene.RemoveNode(part)


def _parts(node) -> list:
    """All nodes that go with a volume; those that play a cine first."""
    if not slicer.mrmlScene.IsNodePresent(node):
        return []
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    sequence = None if browser is None else browser.GetSequenceNode(node)
    nodes = (browser, sequence, node, node.GetDisplayNode())
    return [part for part in nodes if part is not None]


def _twin(node, name: str):
    """A volume of another name that shares the voxels of one in the scene."""
    if node.GetImageData() is None:
        raise VolumeError(_("{name} holds no image any more.").format(name=name))
    twin = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    twin.CopyOrientation(node)
    twin.SetAndObserveImageData(node.GetImageData())
    twin.SetAndObserveTransformNodeID(node.GetTransformNodeID())
    twin.CreateDefaultDisplayNodes()
    return twin


def _load(path: Path, name: str):
    """As Slicer reads it; unlike its loading dialogs, this lists the file nowhere."""
    file = _firstFile(path) if path.is_dir() else path
    if file is None or not file.exists():
        raise VolumeError(
            _("{name} is not where it was any more; is the folder still there?").format(name=name)
        )
    if cine_reader.frame_count(file) > 1:
        return _loadCine(file, name)
    logic = slicer.modules.volumes.logic()
    node = logic.AddArchetypeVolume(str(file), name, AUTO_WINDOW_LEVEL)
    if node is None or node.GetImageData() is None:
        raise VolumeError(_("{name} could not be read as an image.").format(name=name))
    storage = node.GetStorageNode()
    if storage is not None:
        node.SetAndObserveStorageNodeID(None)
        slicer.mrmlScene.RemoveNode(storage)
    for attribute in list(node.GetAttributeNames()):
        if attribute.startswith("DICOM"):
            node.RemoveAttribute(attribute)
    if node.GetDescription():
        node.SetDescription("")
    return node


def _loadCine(file: Path, name: str):
    """The volume in which all frames of a 4-D file play, by Slicer's own controls."""
    try:
        sequence, _browser = cine_reader.load(file, name, show=False)
    except VolumeError:  # whose sentence names the file
        raise VolumeError(_("{name} could not be read as an image.").format(name=name)) from None
    sequence.RemoveAttribute(cine_reader.SOURCE)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return browser.GetProxyNode(sequence)


def _firstFile(folder: Path) -> Path | None:
    """Of a DICOM series: Slicer's reader finds the others of it."""
    return next((file for file in sorted(folder.iterdir()) if is_dicom(file)), None)
