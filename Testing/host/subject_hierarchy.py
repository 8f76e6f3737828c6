"""What Slicer's Qt plugins do for the subject hierarchy: an item for every node a user may see."""

from __future__ import annotations

import slicer
import vtk

KINDS = (
    "vtkMRMLDisplayableNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLPlotSeriesNode",
    "vtkMRMLSequenceBrowserNode",
    "vtkMRMLSequenceNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
)


def wanted(node) -> bool:
    visible = not node.GetHideFromEditors()
    return visible and any(node.IsA(kind) for kind in KINDS)


def follow(scene) -> None:
    """Keep the scene's subject hierarchy as Slicer would."""

    def hierarchy():
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def added(_scene, _event, node):
        if node.IsA("vtkMRMLSubjectHierarchyNode"):
            slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)
        elif not scene.IsImporting() and wanted(node):
            hierarchy().CreateItem(hierarchy().GetSceneItemID(), node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def about_to_be_removed(_scene, _event, node):
        if scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        item = hierarchy().GetItemByDataNode(node)
        if item:
            hierarchy().RemoveItem(item, False, False)

    def imported(*_):
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)
        for index in range(scene.GetNumberOfNodes()):
            node = scene.GetNthNode(index)
            if wanted(node) and not hierarchy().GetItemByDataNode(node):
                hierarchy().CreateItem(hierarchy().GetSceneItemID(), node)

    def closed(*_):
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)

    scene.AddObserver(scene.NodeAddedEvent, added)
    scene.AddObserver(scene.NodeAboutToBeRemovedEvent, about_to_be_removed)
    scene.AddObserver(scene.EndImportEvent, imported, 10.0)
    scene.AddObserver(scene.EndCloseEvent, closed)
    closed()
