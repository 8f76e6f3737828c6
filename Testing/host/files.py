"""`slicer.app.coreIOManager()`: reading and writing files through the real MRML storage nodes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


class CoreIOManager:
    """The few file types a grading panel meets. Others say that the host has none of them."""

    def __init__(self, scene, app_logic, volumes_logic):
        self._scene, self._app_logic, self._volumes = scene, app_logic, volumes_logic
        self._scripted: list[ScriptedFileReader] = []

    def registerIO(self, reader: ScriptedFileReader):
        self._scripted = [r for r in self._scripted if r.name != reader.name] + [reader]

    def fileType(self, path) -> str:
        """What Slicer would take a file for: by the surest of the readers."""
        found = [(r.canLoadFileConfidence(path), r) for r in self._scripted]
        sure, reader = max(found, key=lambda pair: pair[0], default=(0.0, None))
        name = Path(path).name.lower()
        own = 0.5 + 0.01 * max((len(s) for s in VOLUMES if name.endswith(s)), default=0)
        if sure > own:
            return reader.fileType()
        name = str(path).lower()
        if name.endswith((".mrb", ".mrml")):
            return "SceneFile"
        if name.endswith((".seq.nrrd", ".seq.mha")):
            return "SequenceFile"
        if name.endswith(VOLUMES):
            return "VolumeFile"
        return "TableFile" if name.endswith((".csv", ".tsv")) else "NoFile"

    def loadNodes(self, file_type: str, properties: dict, loaded=None, messages=None) -> bool:
        readers = {
            "VolumeFile": self._load_volume,
            "SequenceFile": self._load_sequence,
            "SceneFile": self._load_scene,
        }
        if file_type not in readers:
            raise NotImplementedError(f"The host reads no {file_type}")
        for reader in self._scripted:
            suits = reader.fileType() == file_type
            if suits and reader.canLoadFileConfidence(properties["fileName"]) > 0:
                return reader.loadNodes(properties, loaded, messages)
        properties = dict(properties)
        path = properties.pop("fileName")
        nodes = readers[file_type](str(path), properties) if Path(path).exists() else None
        for node in nodes or ():
            if loaded is not None:
                loaded.AddItem(node)
        return nodes is not None

    def loadFile(self, path, messages=None) -> bool:
        """As a file that is dropped on the window."""
        return self.loadNodes(self.fileType(path), {"fileName": str(path)}, None, messages)

    def fileWriterFileType(self, node, *_):
        return "Node"

    def saveNodes(self, file_type: str, properties: dict, messages=None) -> bool:
        path = Path(properties["fileName"])
        if file_type == "SceneFile":
            return self._save_scene(path)
        node = self._scene.GetNodeByID(properties["nodeID"])
        storage = node.GetStorageNode() or (
            node.AddDefaultStorageNode(str(path)) and node.GetStorageNode()
        )
        storage.SetFileName(str(path))
        return bool(storage.WriteData(node))

    # one kind each

    def _load_volume(self, path: str, properties: dict):
        name = properties.get("name") or _stem(path)
        options = int(bool(properties.get("labelmap"))) | 2 * bool(properties.get("center"))
        node = self._volumes.AddArchetypeVolume(path, name, options)
        if node is None:
            return None
        if properties.get("show", True):
            self._show(node)
        return [node]

    def _load_sequence(self, path: str, properties: dict):
        """A 4-D NRRD. Slicer 5.12 itself opens no 4-D NIfTI as a sequence either."""
        logic = slicer.modules.sequences.logic()
        sequence = logic.AddSequence(path, slicer.vtkMRMLMessageCollection())
        if sequence is None:
            return None
        if properties.get("name"):
            sequence.SetName(properties["name"])
        if not properties.get("show", True):
            return [sequence]
        name = f"{sequence.GetName()} browser"
        browser = self._scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
        browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
        logic.UpdateProxyNodesFromSequences(browser)
        self._show(browser.GetProxyNode(sequence))
        return [sequence, browser]

    def _show(self, node):
        selection = self._app_logic.GetSelectionNode()
        selection.SetActiveVolumeID(node.GetID())
        self._app_logic.PropagateVolumeSelection(1)

    def _load_scene(self, path: str, properties: dict):
        if properties.get("clear"):
            self._scene.Clear(False)
        if path.endswith(".mrb"):
            folder = tempfile.mkdtemp(dir=slicer.app.temporaryPath)
            done = self._app_logic.OpenSlicerDataBundle(path, folder)
        else:
            self._scene.SetURL(path)
            done = self._scene.Import()
        return [] if done else None

    def _save_scene(self, path: Path) -> bool:
        self._scene.SetURL(str(path))
        if path.suffix == ".mrb":
            return bool(self._scene.WriteToMRB(str(path)))
        if path.suffix == ".mrml":
            return bool(self._scene.Commit(str(path)))
        return bool(self._app_logic.SaveSceneToSlicerDataBundleDirectory(str(path)))


class ScriptedFileReader:
    """qSlicerScriptedFileReader: a module's `…FileReader` class, and its `parent`."""

    def __init__(self, python: type):
        self.name = python.__name__
        self._messages = slicer.vtkMRMLMessageCollection()
        self.loadedNodes: list[str] = []
        self._python = python(self)

    def fileType(self) -> str:
        return self._python.fileType()

    def userMessages(self):
        return self._messages

    def canLoadFileConfidence(self, path) -> float:
        sure = self._python.canLoadFileConfidence(str(path))
        assert type(sure) is float, "Slicer takes only a float"
        return sure

    def loadNodes(self, properties: dict, loaded, messages) -> bool:
        self._messages.ClearMessages()
        done = self._python.load(dict(properties))
        assert type(done) is bool, "Slicer takes only a bool"
        if messages is not None:
            messages.AddMessages(self._messages, f"Loading {properties['fileName']} - ")
        for node in self.loadedNodes if done and loaded is not None else ():
            loaded.AddItem(slicer.mrmlScene.GetNodeByID(node))
        return done


def _stem(path: str) -> str:
    name = Path(path).name
    return next((name[: -len(s)] for s in VOLUMES if name.lower().endswith(s)), Path(path).stem)
