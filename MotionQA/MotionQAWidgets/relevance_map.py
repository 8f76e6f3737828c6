"""Relevance maps that live in the scene: one volume node a graded volume, under it in the
subject hierarchy.

    maps = RelevanceMaps()
    maps.store(volume_node, relevance, slice_axis=2, frame=0, checkpoint="name")  # replaces
    found = maps.map_for(volume_node)  # RelevanceMap or None
    maps.remove(volume_node)
    maps.close()                     # no observer is left; the maps stay in the scene
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from MotionQALib.palette import RELEVANCE, rgb

CLASS = "vtkMRMLScalarVolumeNode"
MARK = "MotionQA.Relevance"
VOLUME_ROLE = "MotionQA.volume"
COLOURS = 256

FAINTEST = 0.2
"""Relevance below it is transparent: less than a score of the four that can be lost."""

DARKEST = 0.5
"""Where in the palette the faintest colour is: a dark one over an image would hide it. A layer of
Slicer's is as opaque everywhere as its slider says, or transparent; a report's fades."""


@dataclass(frozen=True)
class RelevanceMap:
    """A map and what it is of.

    Parameters
    ----------
    frame : of the cine, from 0
    checkpoint : the card's name of the network that saw the motion
    """

    node: object
    frame: int
    checkpoint: str

    @property
    def is_blank(self) -> bool:
        """Whether nothing in it is relevant enough to be drawn."""
        return self.node.GetImageData().GetScalarRange()[1] < FAINTEST


def is_map(node) -> bool:
    """Whether a volume is a relevance map, which is no image to be graded."""
    return bool(node.GetAttribute(MARK))


class RelevanceMaps:
    """The relevance maps in the scene; see the top of this file."""

    def __init__(self, scene=None) -> None:
        self._scene = slicer.mrmlScene if scene is None else scene
        event = slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent
        self._tag = self._scene.AddObserver(event, self._on_node_leaving)

    def nodes(self) -> list:
        return [node for node in slicer.util.getNodesByClass(CLASS, self._scene) if is_map(node)]

    def map_for(self, volume_node) -> RelevanceMap | None:
        """The map of a volume; one whose voxels are lost counts as none."""
        for node in self._nodes_of(volume_node):
            frame = node.GetAttribute("MotionQA.Frame") or ""
            if frame.isdecimal() and node.GetImageData() is not None:
                checkpoint = node.GetAttribute("MotionQA.Checkpoint") or ""
                return RelevanceMap(node, int(frame), checkpoint)
        return None

    def store(
        self, volume_node, relevance: np.ndarray, *, slice_axis: int, frame: int, checkpoint: str
    ):
        """Keep the map of one frame in place of what there was; the volume node.

        relevance: (slices, rows, columns) in [0, 1]; slice_axis: of IJK, that slices count along.
        """
        node = next(iter(self._nodes_of(volume_node)), None)
        if node is None:
            name = _("{volume} relevance").format(volume=volume_node.GetName())
            node = self._scene.AddNewNodeByClass(CLASS, name)
            node.SetNodeReferenceID(VOLUME_ROLE, volume_node.GetID())
        # Marked first: whoever hears of its voxels knows what it is.
        node.SetAttribute(MARK, "1")
        node.SetAttribute("MotionQA.Frame", str(frame))
        node.SetAttribute("MotionQA.Checkpoint", checkpoint)
        ijk = np.moveaxis(relevance.transpose(0, 2, 1), 0, slice_axis)
        slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(ijk.T, dtype=np.float32))
        self.align(node, volume_node)
        self._display(node)
        self._place_under_volume(node, volume_node)
        return node

    @staticmethod
    def align(node, volume_node) -> None:
        """Put a map where its volume is now."""
        node.CopyOrientation(volume_node)
        if node.GetTransformNodeID() != volume_node.GetTransformNodeID():
            node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())

    def remove(self, volume_node) -> None:
        for node in self._nodes_of(volume_node):
            self._scene.RemoveNode(node)

    def close(self) -> None:
        """Stop following the scene."""
        if self._tag is not None:
            self._scene.RemoveObserver(self._tag)
            self._tag = None

    # Within

    def _nodes_of(self, volume_node) -> list:
        if volume_node is None:
            return []
        wanted = volume_node.GetID()
        return [node for node in self.nodes() if node.GetNodeReferenceID(VOLUME_ROLE) == wanted]

    def _display(self, node) -> None:
        """The same colour always means the same loss, and what is faint is transparent."""
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID(self._colours().GetID())
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(0, 1)
        display.SetAutoThreshold(False)
        display.SetThreshold(FAINTEST, 1.0)
        display.SetApplyThreshold(True)

    def _colours(self):
        """The scene's colours of relevance.

        Not hidden, because Slicer would then not save them with the scene.
        """
        tables = slicer.util.getNodesByClass("vtkMRMLColorTableNode", self._scene)
        for table in tables:
            if table.GetAttribute(MARK) and table.GetNumberOfColors() == COLOURS:
                return table
        table = self._scene.AddNewNodeByClass("vtkMRMLColorTableNode", _("MotionQA relevance"))
        table.SetAttribute(MARK, "1")
        table.SetAttribute("Category", "MotionQA")
        table.SetTypeToUser()
        table.SetHideFromEditors(False)
        table.SetNumberOfColors(COLOURS)
        places = [place for place, _colour in RELEVANCE]
        anchors = np.array([rgb(colour) for _place, colour in RELEVANCE]) / 255
        for index, relevance in enumerate(np.linspace(0, 1, COLOURS)):
            place = np.interp(relevance, (FAINTEST, 1), (DARKEST, 1))
            colour = [float(np.interp(place, places, anchors[:, c])) for c in range(3)]
            table.SetColor(index, f"{relevance:.2f}", *colour, 1.0)
        return table

    def _place_under_volume(self, node, volume_node) -> None:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        ids = [hierarchy.GetItemByDataNode(each) for each in (node, volume_node)]
        if hierarchy.GetInvalidItemID() not in ids:
            hierarchy.SetItemParent(*ids)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_leaving(self, _scene, _event, node) -> None:
        leaving = node.IsA("vtkMRMLVolumeNode") and not is_map(node)
        if leaving and not (self._scene.IsClosing() or self._scene.IsImporting()):
            self.remove(node)
