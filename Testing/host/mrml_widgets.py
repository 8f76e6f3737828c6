"""The qMRML widgets that a grading panel needs: small Qt widgets over the real MRML scene."""

from __future__ import annotations

import weakref

import shiboken6
import slicer
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal

from .ctk_widgets import ctkCollapsibleButton
from .ui_loader import CUSTOM, custom


class Observing:
    """A widget's observers, removed when Qt deletes it, as those of Slicer's own widgets are.

    The widget's methods are held weakly: they do not keep it alive.
    """

    def __init__(self, widget: QtWidgets.QWidget):
        self._tags: list[tuple] = []
        widget.destroyed.connect(self.clear)

    def add(self, subject, event, method):
        reference = weakref.WeakMethod(method)

        def forward(caller, name):
            call = reference()
            if call is not None and shiboken6.isValid(call.__self__):
                call(caller, name)

        self._tags.append((subject, subject.AddObserver(event, forward)))

    def clear(self, *_):
        for subject, tag in self._tags:
            subject.RemoveObserver(tag)
        self._tags.clear()


@custom
class qMRMLWidget(QtWidgets.QWidget):
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@custom
class qMRMLCollapsibleButton(ctkCollapsibleButton):
    mrmlSceneChanged = Signal(object)

    def setMRMLScene(self, scene):
        self.mrmlSceneChanged.emit(scene)


def _flag_property(name: str) -> Property:
    """A bool property of qMRMLNodeComboBox that changes what is listed."""
    return Property(bool, lambda s: bool(s._flag(name)), lambda s, v: s._set_flag(name, v))


class qMRMLSortFilterProxyModel(QtCore.QObject):
    """What a selector lists: of Slicer's many filters, only that by identity."""

    def __init__(self, selector):
        super().__init__(selector)
        self._hidden: list[str] = []

    def _set_hidden(self, ids):
        self._hidden = list(ids)
        self.parent()._refresh()

    hiddenNodeIDs = Property("QStringList", lambda s: s._hidden, _set_hidden)


@custom
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """Choose a node of given types. As in Slicer, the first is chosen unless None is allowed."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    EVENTS = ("NodeAddedEvent", "NodeRemovedEvent", "EndBatchProcessEvent", "EndCloseEvent")

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene, self._types, self._ids = None, [], []
        self._attributes: list[tuple] = []
        self._filter = qMRMLSortFilterProxyModel(self)
        self._current = ""
        self._of_scene, self._of_nodes = Observing(self), Observing(self)
        self._flags = {"showChildNodeTypes": True, "selectNodeUponCreation": True}
        self._none_display, self._base_name = "None", ""
        self._box = QtWidgets.QComboBox(self)
        self._box.setObjectName("")
        self._box.currentIndexChanged.connect(self._chosen)
        self._box.activated.connect(lambda *_: self.nodeActivated.emit(self.currentNode()))
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._box)
        self.setEnabled(False)  # until it has a scene

    # the scene

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if scene is self._scene:
            return
        self._of_scene.clear()
        self._scene = scene
        for event in self.EVENTS if scene is not None else ():
            self._of_scene.add(scene, getattr(scene, event), self._refresh)
        self.setEnabled(scene is not None)
        self._refresh()

    def _refresh(self, *_):
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        self._of_nodes.clear()
        found = self.nodes()
        for node in found:
            self._of_nodes.add(node, "ModifiedEvent", self._renamed)
        before = self._ids
        self._ids = [n.GetID() for n in found]
        self._box.blockSignals(True)
        self._box.clear()
        if self._flag("noneEnabled"):
            self._box.addItem(self._none_display, "")
        for node in found:
            self._box.addItem(node.GetName(), node.GetID())
        self._box.blockSignals(False)
        index = self._box.findData(self._current) if self._current else -1
        if index < 0 and self._box.count():
            index = 0
        self._box.blockSignals(True)
        self._box.setCurrentIndex(index)
        self._box.blockSignals(False)
        self._chosen()
        for node in found:
            if node.GetID() not in before:
                self.nodeAdded.emit(node)

    def _renamed(self, node, _event):
        index = self._box.findData(node.GetID())
        if index >= 0 and self._box.itemText(index) != node.GetName():
            self._box.setItemText(index, node.GetName())

    def _accepts(self, node) -> bool:
        if node.GetHideFromEditors() and not self._flag("showHidden"):
            return False
        if node.GetID() in self._filter.hiddenNodeIDs:
            return False
        name = node.GetClassName()
        if self._types and not any(
            node.IsA(t) if self._flag("showChildNodeTypes") else t == name for t in self._types
        ):
            return False
        if any(node.IsA(t) for t in self._flags.get("hideChildNodeTypes", [])):
            return False
        wanted = [(a, v) for t, a, v in self._attributes if node.IsA(t)]
        return all(
            node.GetAttribute(a) is not None if v is None else node.GetAttribute(a) == str(v)
            for a, v in wanted
        )

    def nodes(self) -> list:
        if self._scene is None:
            return []
        everything = (self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes()))
        return [n for n in everything if self._accepts(n)]

    # what is chosen

    def _chosen(self, *_):
        chosen = self._box.currentData() or ""
        if chosen != self._current:
            self._current = chosen
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(chosen)

    def currentNode(self):
        known = self._scene is not None and self._current
        return self._scene.GetNodeByID(self._current) if known else None

    def setCurrentNode(self, node):
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node else "")

    def setCurrentNodeID(self, node_id: str | None):
        index = self._box.findData(node_id or "")
        self._box.setCurrentIndex(index)

    def setCurrentNodeIndex(self, index: int):
        self._box.setCurrentIndex(index + bool(self._flag("noneEnabled")))

    def nodeFromIndex(self, index: int):
        return self._scene.GetNodeByID(self._ids[index]) if 0 <= index < len(self._ids) else None

    def nodeCount(self) -> int:
        return len(self._ids)

    def addNode(self, node_type: str = ""):
        node = self._scene.AddNewNodeByClass(node_type or self._types[0], self._base_name)
        self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self):
        if self.currentNode():
            self._scene.RemoveNode(self.currentNode())

    def addAttribute(self, node_type: str, name: str, value=None):
        self._attributes.append((node_type, name, value))
        self._refresh()

    def sortFilterProxyModel(self):
        return self._filter

    # properties

    def _flag(self, name: str):
        return self._flags.get(name, False)

    def _set_flag(self, name: str, value):
        self._flags[name] = value
        self._refresh()

    def _set_types(self, types):
        self._types = list(types)
        self._refresh()

    def _set_none_display(self, text: str):
        self._none_display = text
        self._refresh()

    nodeTypes = Property("QStringList", lambda s: s._types, _set_types)
    currentNodeID = Property(str, lambda s: s._current, setCurrentNodeID)
    noneDisplay = Property(str, lambda s: s._none_display, _set_none_display)
    baseName = Property(str, lambda s: s._base_name, lambda s, v: setattr(s, "_base_name", v))
    hideChildNodeTypes = Property(
        "QStringList",
        lambda s: s._flags.get("hideChildNodeTypes", []),
        lambda s, v: s._set_flag("hideChildNodeTypes", list(v)),
    )
    noneEnabled = _flag_property("noneEnabled")
    addEnabled = _flag_property("addEnabled")
    removeEnabled = _flag_property("removeEnabled")
    editEnabled = _flag_property("editEnabled")
    renameEnabled = _flag_property("renameEnabled")
    showHidden = _flag_property("showHidden")
    showChildNodeTypes = _flag_property("showChildNodeTypes")
    selectNodeUponCreation = _flag_property("selectNodeUponCreation")


WIDGETS = {name: cls for name, cls in CUSTOM.items() if name.startswith("qMRML")}
for _name, _class in WIDGETS.items():
    setattr(slicer, _name, _class)
