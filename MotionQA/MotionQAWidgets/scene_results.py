"""Results that live in the scene: one table node a volume, under it in the subject hierarchy.

    results = SceneResults()
    results.store(volumeNode, assessment, sliceAxis=2)  # replaces what was there
    result = results.resultFor(volumeNode)              # SceneResult or None
    results.setOverride(volumeNode, frame, slice, score=2, reader="A. Reader")  # None, None: volume
    results.clearOverride(volumeNode, frame, slice)
    results.remove(volumeNode)
    results.withhold(volumeIDs)  # of these, nothing is said until it is told otherwise
    results.changed.connect(f)  # f(): any result came, went or was overridden; scene loaded, closed
    results.close()             # no observer is left; the tables stay in the scene

A table that cannot be read, such as one edited by hand, counts as none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import slicer
import vtk
from slicer.i18n import tr as _

from MotionQALib.results import Assessment, Override, Row
from MotionQALib.scale import Grade, grade_of

from . import assessment_table
from .observers import Observers
from .signals import Signal

VOLUME_ROLE = "MotionQA.volume"
Place = tuple[int | None, int | None]
"""(frame, slice); (None, None) is the volume."""


@dataclass(frozen=True)
class SceneResult:
    """An assessment and where it stands in the scene.

    Parameters
    ----------
    assessment : with the readers' overrides
    sliceAxis : of IJK, that slices count along
    rows, overrides : of each place (frame, slice); (None, None) is the volume
    """

    volumeNode: object
    tableNode: object
    assessment: Assessment
    sliceAxis: int
    rows: dict[Place, Row]
    overrides: dict[Place, Override]

    def rowFor(self, frame: int | None, index: int | None) -> Row | None:
        """The network's grade of a slice, of the volume where both are None."""
        return self.rows.get((frame, index))

    def overrideFor(self, frame: int | None, index: int | None) -> Override | None:
        return self.overrides.get((frame, index))

    @property
    def browserNode(self):
        """The sequence browser that plays the volume; None where nothing does."""
        sequences = getattr(slicer.modules, "sequences", None)
        if sequences is None:
            return None
        return sequences.logic().GetFirstBrowserNodeForProxyNode(self.volumeNode)

    def follow(self, observers: Observers, call: Callable[..., object]) -> None:
        """Have ``call`` called when the volume moves, or another frame of it is shown."""
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        for event in ("ModifiedEvent", moved):
            observers.add(self.volumeNode, event, call)
        browser = self.browserNode
        if browser is not None:
            observers.add(browser, "ModifiedEvent", call)

    @property
    def currentFrame(self) -> int | None:
        """The frame that is shown; None where it was not graded, or nothing tells which it is."""
        if self.assessment.n_frames == 1:
            return 0
        browser = self.browserNode
        if browser is None or browser.GetNumberOfItems() == 0:
            return None
        leading, own = browser.GetMasterSequenceNode(), browser.GetSequenceNode(self.volumeNode)
        frame = _sameMoment(leading, own, browser.GetSelectedItemNumber())
        return frame if 0 <= frame < self.assessment.n_frames else None

    def showFrame(self, frame: int) -> None:
        browser = self.browserNode
        if browser is None or self.assessment.n_frames == 1:
            return
        leading, own = browser.GetMasterSequenceNode(), browser.GetSequenceNode(self.volumeNode)
        item = _sameMoment(own, leading, frame)
        if item >= 0:
            browser.SetSelectedItemNumber(item)


def _sameMoment(sequence, other, number: int) -> int:
    """The number that an item has in another sequence: a browser plays several, led by one, and
    not all have the same frames. Negative where there is none."""
    if sequence is other or not 0 <= number < sequence.GetNumberOfDataNodes():
        return number
    return other.GetItemNumberFromIndexValue(sequence.GetNthIndexValue(number), False)


def _fitting(overrides: dict[Place, Override], assessment: Assessment) -> tuple[Override, ...]:
    frames, slices = assessment.probabilities.shape[:2]
    return tuple(
        override
        for (frame, index), override in overrides.items()
        if frame is None or (frame < frames and index < slices)
    )


def _readTable(table, volumeNode) -> SceneResult | None:
    try:
        assessment, sliceAxis = assessment_table.read(table)
    except ValueError as error:
        logging.warning("MotionQA cannot read the table %s: %s", table.GetName(), error)
        return None
    return SceneResult(
        volumeNode=volumeNode,
        tableNode=table,
        assessment=assessment,
        sliceAxis=sliceAxis,
        rows={(row.frame, row.slice): row for row in assessment.rows()},
        overrides={(o.frame, o.slice): o for o in assessment.overrides},
    )


class SceneResults:
    """The results in the scene; see the top of this file."""

    def __init__(self, scene=None) -> None:
        self.changed = Signal()
        self._scene = slicer.mrmlScene if scene is None else scene
        self._tables: dict[str, object] | None = None  # volume's ID: table; None: look again
        self._read: dict[str, tuple[object, SceneResult | None]] = {}
        self._withheld: frozenset[str] = frozenset()
        events = {
            slicer.vtkMRMLScene.NodeAddedEvent: self._onNodeAdded,
            slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent: self._onNodeLeaving,
            slicer.vtkMRMLScene.NodeRemovedEvent: self._onNodeRemoved,
            slicer.vtkMRMLScene.EndImportEvent: self._onScene,
            slicer.vtkMRMLScene.EndCloseEvent: self._onScene,
        }
        self._tags = [self._scene.AddObserver(event, f) for event, f in events.items()]

    # What is there

    def resultFor(self, volumeNode) -> SceneResult | None:
        if volumeNode is None or volumeNode.GetID() in self._withheld:
            return None
        return self._resultOf(volumeNode)

    def withhold(self, volumeIDs: Iterable[str]) -> None:
        """Say nothing of these volumes, as to a reader who must not know their grades yet."""
        withheld = frozenset(volumeIDs)
        if withheld != self._withheld:
            self._withheld = withheld
            self.changed.emit()

    def _resultOf(self, volumeNode) -> SceneResult | None:
        table = self._tablesByVolume().get(volumeNode.GetID())
        if table is None:
            return None
        content = table.GetTable()
        state = (table, table.GetMTime(), None if content is None else content.GetMTime())
        known = self._read.get(volumeNode.GetID())
        if known is None or known[0] != state:
            known = self._read[volumeNode.GetID()] = (state, _readTable(table, volumeNode))
        return known[1]

    def volumeNodes(self) -> list:
        """Volumes that have a result."""
        nodes = [table.GetNodeReference(VOLUME_ROLE) for table in self._tablesByVolume().values()]
        return [node for node in nodes if self.resultFor(node) is not None]

    # What changes it

    def store(self, volumeNode, assessment: Assessment, *, sliceAxis: int = 2):
        """Keep an assessment; the table node. What readers said of the volume's slices stays."""
        before = self._resultOf(volumeNode)
        if not assessment.overrides and before is not None:
            assessment = replace(assessment, overrides=_fitting(before.overrides, assessment))
        table = self._tablesByVolume().get(volumeNode.GetID())
        if table is None:
            table = self._newTable(volumeNode)
        assessment_table.write(table, assessment, sliceAxis)
        self._placeUnderVolume(table, volumeNode)
        self._forget()
        self.changed.emit()
        return table

    def setOverride(
        self,
        volumeNode,
        frame: int | None,
        index: int | None,
        *,
        score: int | None = None,
        grade: Grade | None = None,
        reader: str,
    ) -> None:
        """Note a reader's score, or only a grade, beside the network's; KeyError: no such row."""
        if (score is None) == (grade is None):
            raise ValueError("Give a score or a grade.")
        result = self._resultWith(volumeNode, (frame, index))
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        label = (grade_of(score) if grade is None else grade).label
        override = Override(frame, index, score, label, reader, now)
        self._storeOverrides(result, {**result.overrides, (frame, index): override})

    def clearOverride(self, volumeNode, frame: int | None, index: int | None) -> None:
        result = self._resultWith(volumeNode, (frame, index))
        others = {place: o for place, o in result.overrides.items() if place != (frame, index)}
        self._storeOverrides(result, others)

    def remove(self, volumeNode) -> None:
        table = self._tablesByVolume().get(volumeNode.GetID())
        if table is not None:
            self._removeTable(table)

    def close(self) -> None:
        """Stop following the scene."""
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._tags = []
        self.changed.disconnect()
        self._forget()

    # Within

    def _resultWith(self, volumeNode, place: Place) -> SceneResult:
        result = self.resultFor(volumeNode)
        if result is None or place not in result.rows:
            raise KeyError(place)
        return result

    def _storeOverrides(self, result: SceneResult, overrides: dict[Place, Override]) -> None:
        assessment = replace(result.assessment, overrides=tuple(overrides.values()))
        assessment_table.write(result.tableNode, assessment, result.sliceAxis)
        self.changed.emit()

    def _tablesByVolume(self) -> dict[str, object]:
        if self._tables is None:
            tables = slicer.util.getNodesByClass("vtkMRMLTableNode", self._scene)
            ours = [table for table in tables if table.GetAttribute(assessment_table.FORMAT)]
            found = {table.GetNodeReferenceID(VOLUME_ROLE): table for table in ours}
            self._tables = {key: table for key, table in found.items() if key}
        return self._tables

    def _newTable(self, volumeNode):
        name = _("{volume} motion").format(volume=volumeNode.GetName())
        table = self._scene.AddNewNodeByClass("vtkMRMLTableNode", name)
        table.SetNodeReferenceID(VOLUME_ROLE, volumeNode.GetID())
        table.SetLocked(True)
        return table

    def _placeUnderVolume(self, table, volumeNode) -> None:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        ids = [hierarchy.GetItemByDataNode(node) for node in (table, volumeNode)]
        if hierarchy.GetInvalidItemID() not in ids:
            hierarchy.SetItemParent(*ids)

    def _removeTable(self, table) -> None:
        self._scene.RemoveNode(table)  # its going is told by the scene

    def _forget(self) -> None:
        self._tables = None
        self._read.clear()

    def _busy(self) -> bool:
        """Whether the scene will tell when it is done."""
        return bool(self._scene.IsImporting() or self._scene.IsClosing())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, _scene, _event, node) -> None:
        if not self._busy() and node.IsA("vtkMRMLTableNode"):
            self._forget()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeLeaving(self, _scene, _event, node) -> None:
        if not self._busy() and node.IsA("vtkMRMLVolumeNode"):
            self._tablesByVolume()  # once it has gone, no table refers to it any more

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, _scene, _event, node) -> None:
        if self._busy():
            return
        if node.IsA("vtkMRMLTableNode") and node.GetAttribute(assessment_table.FORMAT):
            self._forget()
            self.changed.emit()
        elif node.IsA("vtkMRMLVolumeNode") and self._tables is not None:
            table = self._tables.get(node.GetID())
            if table is not None:
                self._removeTable(table)

    def _onScene(self, *_args) -> None:
        self._forget()
        self.changed.emit()
