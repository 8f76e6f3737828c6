"""Results that live in the scene: one table node a volume, under it in the subject hierarchy.

    results = SceneResults()
    results.store(volume_node, assessment, slice_axis=2)  # replaces what was there
    result = results.result_for(volume_node)              # SceneResult or None
    results.set_override(volume_node, frame, slice, score=2, reader="A. Reader")  # None: volume
    results.clear_override(volume_node, frame, slice)
    results.remove(volume_node)
    results.withhold(volume_ids)  # of these, nothing is said until it is told otherwise
    results.changed.connect(f)  # f(): any result came, went or was overridden; scene loaded, closed
    results.close()             # no observer is left; the tables stay in the scene

A table that cannot be read, such as one edited by hand, counts as none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from MotionQALib.results import Assessment, Override, Row
from MotionQALib.scale import Grade, grade_of
from MotionQALib.signals import Signal

from . import assessment_table
from .observers import Observers

VOLUME_ROLE = "MotionQA.volume"
RowKey = tuple[int | None, int | None]
"""(frame, slice); (None, None) is the volume."""


@dataclass(frozen=True)
class SceneResult:
    """An assessment and where it stands in the scene.

    Parameters
    ----------
    assessment : with the readers' overrides
    slice_axis : of IJK, that slices count along
    part : the slice of the assessment that the volume is, where it is one of a graded stack
    rows, overrides : of each place (frame, slice); (None, None) is the volume
    """

    volume_node: object
    table_node: object
    assessment: Assessment
    slice_axis: int
    rows: dict[RowKey, Row]
    overrides: dict[RowKey, Override]
    part: int | None = None

    def row_for(self, frame: int | None, index: int | None) -> Row | None:
        """The network's grade of a slice, of the volume where both are None."""
        return self.rows.get((frame, index))

    def override_for(self, frame: int | None, index: int | None) -> Override | None:
        return self.overrides.get((frame, index))

    @property
    def browser_node(self):
        """The sequence browser that plays the volume; None where nothing does."""
        sequences = getattr(slicer.modules, "sequences", None)
        if sequences is None:
            return None
        return sequences.logic().GetFirstBrowserNodeForProxyNode(self.volume_node)

    def follow(self, observers: Observers, call: Callable[..., object]) -> None:
        """Have ``call`` called when the volume moves, or another frame of it is shown."""
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        for event in ("ModifiedEvent", moved):
            observers.add(self.volume_node, event, call)
        browser = self.browser_node
        if browser is not None:
            observers.add(browser, "ModifiedEvent", call)

    @property
    def current_frame(self) -> int | None:
        """The frame that is shown; None where it was not graded, or nothing tells which it is."""
        if self.assessment.n_frames == 1:
            return 0
        browser = self.browser_node
        if browser is None or browser.GetNumberOfItems() == 0:
            return None
        leading, own = browser.GetMasterSequenceNode(), browser.GetSequenceNode(self.volume_node)
        frame = _same_moment(leading, own, browser.GetSelectedItemNumber())
        return frame if 0 <= frame < self.assessment.n_frames else None

    def show_frame(self, frame: int) -> None:
        browser = self.browser_node
        if browser is None or self.assessment.n_frames == 1:
            return
        leading, own = browser.GetMasterSequenceNode(), browser.GetSequenceNode(self.volume_node)
        item = _same_moment(own, leading, frame)
        if item >= 0:
            browser.SetSelectedItemNumber(item)


def _same_moment(sequence, other, number: int) -> int:
    """The number that an item has in another sequence: a browser plays several, led by one, and
    not all have the same frames. Negative where there is none."""
    if sequence is other or not 0 <= number < sequence.GetNumberOfDataNodes():
        return number
    return other.GetItemNumberFromIndexValue(sequence.GetNthIndexValue(number), False)


def _fitting(overrides: dict[RowKey, Override], assessment: Assessment) -> tuple[Override, ...]:
    frames, slices = assessment.probabilities.shape[:2]
    return tuple(
        override
        for (frame, index), override in overrides.items()
        if frame is None or (frame < frames and index < slices)
    )


def _read_table(table, volume_node) -> SceneResult | None:
    try:
        assessment, slice_axis = assessment_table.read(table)
    except ValueError as error:
        logging.warning("MotionQA cannot read the table %s: %s", table.GetName(), error)
        return None
    return SceneResult(
        volume_node=volume_node,
        table_node=table,
        assessment=assessment,
        slice_axis=slice_axis,
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
            slicer.vtkMRMLScene.NodeAddedEvent: self._on_node_added,
            slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent: self._on_node_leaving,
            slicer.vtkMRMLScene.NodeRemovedEvent: self._on_node_removed,
            slicer.vtkMRMLScene.EndImportEvent: self._on_scene,
            slicer.vtkMRMLScene.EndCloseEvent: self._on_scene,
        }
        self._tags = [self._scene.AddObserver(event, f) for event, f in events.items()]

    # What is there

    def result_for(self, volume_node) -> SceneResult | None:
        if volume_node is None or volume_node.GetID() in self._withheld:
            return None
        return self._result_of(volume_node)

    def is_withheld(self, volume_node) -> bool:
        """Whether nothing may be said of a volume now."""
        return volume_node.GetID() in self._withheld

    def withhold(self, volume_ids: Iterable[str]) -> None:
        """Say nothing of these volumes, as to a reader who must not know their grades yet."""
        withheld = frozenset(volume_ids)
        if withheld != self._withheld:
            self._withheld = withheld
            self.changed.emit()

    def _result_of(self, volume_node) -> SceneResult | None:
        table = self._tables_by_volume().get(volume_node.GetID())
        if table is None:
            return None
        content = table.GetTable()
        state = (table, table.GetMTime(), None if content is None else content.GetMTime())
        known = self._read.get(volume_node.GetID())
        if known is None or known[0] != state:
            known = self._read[volume_node.GetID()] = (state, _read_table(table, volume_node))
        return known[1]

    def volume_nodes(self) -> list:
        """Volumes that have a result."""
        nodes = [table.GetNodeReference(VOLUME_ROLE) for table in self._tables_by_volume().values()]
        return [node for node in nodes if self.result_for(node) is not None]

    # What changes it

    def store(self, volume_node, assessment: Assessment, *, slice_axis: int = 2):
        """Keep an assessment; the table node. What readers said of the volume's slices stays."""
        before = self._result_of(volume_node)
        if not assessment.overrides and before is not None:
            assessment = replace(assessment, overrides=_fitting(before.overrides, assessment))
        table = self._tables_by_volume().get(volume_node.GetID())
        if table is None:
            table = self._new_table(volume_node)
        assessment_table.write(table, assessment, slice_axis)
        self._place_under_volume(table, volume_node)
        self._forget()
        self.changed.emit()
        return table

    def set_override(
        self,
        volume_node,
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
        result = self._result_with(volume_node, (frame, index))
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        label = (grade_of(score) if grade is None else grade).label
        override = Override(frame, index, score, label, reader, now)
        self._store_overrides(result, {**result.overrides, (frame, index): override})

    def clear_override(self, volume_node, frame: int | None, index: int | None) -> None:
        result = self._result_with(volume_node, (frame, index))
        others = {place: o for place, o in result.overrides.items() if place != (frame, index)}
        self._store_overrides(result, others)

    def remove(self, volume_node) -> None:
        table = self._tables_by_volume().get(volume_node.GetID())
        if table is not None:
            self._remove_table(table)

    def close(self) -> None:
        """Stop following the scene."""
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._tags = []
        self.changed.disconnect()
        self._forget()

    # Within

    def _result_with(self, volume_node, place: RowKey) -> SceneResult:
        result = self.result_for(volume_node)
        known = result is not None and {(None, None), *np.ndindex(result.assessment.graded.shape)}
        if not known or place not in known:
            raise KeyError(place)
        return result

    def _store_overrides(self, result: SceneResult, overrides: dict[RowKey, Override]) -> None:
        assessment = replace(result.assessment, overrides=tuple(overrides.values()))
        assessment_table.write(result.table_node, assessment, result.slice_axis)
        self.changed.emit()

    def _tables_by_volume(self) -> dict[str, object]:
        if self._tables is None:
            tables = slicer.util.getNodesByClass("vtkMRMLTableNode", self._scene)
            ours = [table for table in tables if table.GetAttribute(assessment_table.FORMAT)]
            found = {table.GetNodeReferenceID(VOLUME_ROLE): table for table in ours}
            self._tables = {key: table for key, table in found.items() if key}
        return self._tables

    def _new_table(self, volume_node):
        name = _("{volume} motion").format(volume=volume_node.GetName())
        table = self._scene.AddNewNodeByClass("vtkMRMLTableNode", name)
        table.SetNodeReferenceID(VOLUME_ROLE, volume_node.GetID())
        table.SetLocked(True)
        return table

    def _place_under_volume(self, table, volume_node) -> None:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        ids = [hierarchy.GetItemByDataNode(node) for node in (table, volume_node)]
        if hierarchy.GetInvalidItemID() not in ids:
            hierarchy.SetItemParent(*ids)

    def _remove_table(self, table) -> None:
        self._scene.RemoveNode(table)  # its going is told by the scene

    def _forget(self) -> None:
        self._tables = None
        self._read.clear()

    def _busy(self) -> bool:
        """Whether the scene will tell when it is done."""
        return bool(self._scene.IsImporting() or self._scene.IsClosing())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_added(self, _scene, _event, node) -> None:
        if not self._busy() and node.IsA("vtkMRMLTableNode"):
            self._forget()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_leaving(self, _scene, _event, node) -> None:
        if not self._busy() and node.IsA("vtkMRMLVolumeNode"):
            self._tables_by_volume()  # once it has gone, no table refers to it any more

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _scene, _event, node) -> None:
        if self._busy():
            return
        if node.IsA("vtkMRMLTableNode") and node.GetAttribute(assessment_table.FORMAT):
            self._forget()
            self.changed.emit()
        elif node.IsA("vtkMRMLVolumeNode") and self._tables is not None:
            table = self._tables.get(node.GetID())
            if table is not None:
                self._remove_table(table)

    def _on_scene(self, *_args) -> None:
        self._forget()
        self.changed.emit()
