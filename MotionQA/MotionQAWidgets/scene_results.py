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

The table's columns are those of MotionQA's CSV, then the reader's. A table that cannot be read,
such as one edited by hand, counts as none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from MotionQALib.results import Assessment, Override, Row
from MotionQALib.scale import SCORES, Grade, grade_of

from .signals import Signal

FORMAT = "MotionQA.Format"
VOLUME_ROLE = "MotionQA.volume"
OVERRIDE_COLUMNS = ("overrideScore", "overrideGrade", "reader", "time")
REALS = ("expected_score", "p1", "p2", "p3", "p4", "p5")

UNSAFE = str.maketrans({'"': "'", "\t": " ", "\n": " ", "\r": " "})
"""Slicer saves tables as tab-separated text without quotes, and reads quotes in it as such."""

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


class SceneResults:
    """The results in the scene; see the top of this file."""

    def __init__(self, scene=None) -> None:
        self.changed = Signal()
        self._scene = scene or slicer.mrmlScene
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
        state = (table, table.GetMTime(), table.GetTable() and table.GetTable().GetMTime())
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
        _writeTable(table, assessment, sliceAxis)
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
        _writeTable(result.tableNode, assessment, result.sliceAxis)
        self.changed.emit()

    def _tablesByVolume(self) -> dict[str, object]:
        if self._tables is None:
            tables = slicer.util.getNodesByClass("vtkMRMLTableNode", self._scene)
            ours = [table for table in tables if table.GetAttribute(FORMAT)]
            found = {table.GetNodeReferenceID(VOLUME_ROLE): table for table in ours}
            self._tables = {volume: table for volume, table in found.items() if volume}
        return self._tables

    def _newTable(self, volumeNode):
        name = _("{volume} motion").format(volume=volumeNode.GetName())
        table = self._scene.AddNewNodeByClass("vtkMRMLTableNode", name)
        table.SetNodeReferenceID(VOLUME_ROLE, volumeNode.GetID())
        table.SetLocked(True)
        return table

    def _placeUnderVolume(self, table, volumeNode) -> None:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        item, parent = (hierarchy.GetItemByDataNode(node) for node in (table, volumeNode))
        if item and parent:
            hierarchy.SetItemParent(item, parent)

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
        if node.IsA("vtkMRMLTableNode") and node.GetAttribute(FORMAT):
            self._forget()
            self.changed.emit()
        elif node.IsA("vtkMRMLVolumeNode") and self._tables is not None:
            table = self._tables.get(node.GetID())
            if table is not None:
                self._removeTable(table)

    def _onScene(self, *_args) -> None:
        self._forget()
        self.changed.emit()


# Table and assessment


def _fitting(overrides: dict[Place, Override], assessment: Assessment) -> tuple[Override, ...]:
    frames, slices = assessment.probabilities.shape[:2]
    return tuple(
        override
        for (frame, index), override in overrides.items()
        if frame is None or (frame < frames and index < slices)
    )


def _writeTable(table, assessment: Assessment, sliceAxis: int) -> None:
    said = {(o.frame, o.slice): o for o in assessment.overrides}
    lines = []
    for row in assessment.rows():
        override = said.get((row.frame, row.slice))
        mine = override[2:] if override else ("", "", "", "")
        cells = [*row[:-1], str(row.uncertain).lower(), *mine]
        lines.append(["" if cell is None else _savable(cell) for cell in cells])
    content = vtk.vtkTable()
    for name, values in zip(
        (*Row._fields, *OVERRIDE_COLUMNS), zip(*lines, strict=True), strict=True
    ):
        content.AddColumn(_column(name, values))
    modifying = table.StartModify()
    table.SetAndObserveTable(content)
    attributes = {
        FORMAT: 1,
        "MotionQA.SliceAxis": sliceAxis,
        "MotionQA.Source": assessment.source,
        "MotionQA.Identity": assessment.identity,
        "MotionQA.Checkpoint": assessment.checkpoint,
        "MotionQA.Notice": assessment.notice,
        "MotionQA.Device": assessment.device,
        "MotionQA.Precision": assessment.precision,
        "MotionQA.Seconds": f"{assessment.seconds:.4f}",
        "MotionQA.Remarks": json.dumps(assessment.remarks),
    }
    for name, value in attributes.items():
        table.SetAttribute(name, None if value is None else str(value))
    table.EndModify(modifying)


def _savable(cell):
    """What comes back from a saved table as it is; a line that starts with # would not come."""
    return cell.translate(UNSAFE).lstrip("# ").rstrip() if isinstance(cell, str) else cell


def _column(name: str, values):
    kinds = {"score": vtk.vtkIntArray} | dict.fromkeys(REALS, vtk.vtkDoubleArray)
    kind = kinds.get(name, vtk.vtkStringArray)
    column = kind()
    column.SetName(name)
    for value in values:
        column.InsertNextValue(str(value) if kind is vtk.vtkStringArray else value)
    return column


def _readTable(table, volumeNode) -> SceneResult | None:
    try:
        assessment = _assessmentOf(table)
        sliceAxis = int(table.GetAttribute("MotionQA.SliceAxis"))
        if sliceAxis not in (0, 1, 2):
            raise ValueError(f"slice axis {sliceAxis}")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
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


def _assessmentOf(table) -> Assessment:
    lines = _lines(table.GetTable())
    places = {(_number(line["frame"]), _number(line["slice"])): line for line in lines}
    whole = places.pop((None, None))
    frames, slices = (1 + max(place[axis] for place in places) for axis in (0, 1))
    if len(places) != frames * slices or min(map(min, places)) < 0:
        raise ValueError("rows are missing")
    probabilities = np.zeros((frames, slices, 5))
    uncertain = np.zeros((frames, slices), bool)
    for place, line in places.items():
        probabilities[place] = _probabilities(line)
        uncertain[place] = line["uncertain"] == "true"
    overrides = (
        _overrideOf(place, line) for place, line in [*places.items(), ((None,) * 2, whole)]
    )
    return Assessment(
        volume=whole["volume"],
        source=table.GetAttribute("MotionQA.Source"),
        identity=table.GetAttribute("MotionQA.Identity"),
        checkpoint=table.GetAttribute("MotionQA.Checkpoint") or "",
        notice=table.GetAttribute("MotionQA.Notice") or "",
        probabilities=probabilities,
        volume_probabilities=np.array(_probabilities(whole)),
        uncertain=uncertain,
        volume_uncertain=whole["uncertain"] == "true",
        device=table.GetAttribute("MotionQA.Device") or "",
        precision=table.GetAttribute("MotionQA.Precision") or "",
        seconds=float(table.GetAttribute("MotionQA.Seconds") or 0),
        remarks=tuple(json.loads(table.GetAttribute("MotionQA.Remarks") or "[]")),
        overrides=tuple(override for override in overrides if override is not None),
    )


def _lines(content) -> list[dict[str, str]]:
    """Rows as text by column, whatever types the columns came back from a file with."""
    columns = [content.GetColumn(number) for number in range(content.GetNumberOfColumns())]
    return [
        {column.GetName(): str(column.GetValue(row)) for column in columns}
        for row in range(content.GetNumberOfRows())
    ]


def _probabilities(line: dict[str, str]) -> list[float]:
    probabilities = [float(line[f"p{score}"]) for score in SCORES]
    if not 0.99 < sum(probabilities) < 1.01 or min(probabilities) < 0:
        raise ValueError(f"probabilities {probabilities}")
    return probabilities


def _number(text: str) -> int | None:
    return int(float(text)) if text else None


def _overrideOf(place: Place, line: dict[str, str]) -> Override | None:
    grade = line.get("overrideGrade")
    if not grade:
        return None
    score = _number(line["overrideScore"])
    if grade not in [known.label for known in Grade] or score not in (None, *SCORES):
        raise ValueError(f"a reader's grade {grade!r}, score {score}")
    return Override(*place, score, grade, line["reader"], line["time"])
