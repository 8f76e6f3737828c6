"""`.ui` files through QUiLoader, with the MRML and ctk widgets promoted as Slicer's plugins do."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from PySide6 import QtCore, QtUiTools

CUSTOM: dict[str, type] = {}  # name in the .ui file -> class; filled by ctk_widgets, mrml_widgets


def custom(cls: type) -> type:
    """Decorator: .ui files may name this class."""
    CUSTOM[cls.__name__] = cls
    return cls


class UiLoader(QtUiTools.QUiLoader):
    """Knows the custom widgets, and makes Designer's `mrmlSceneChanged` connections in Python.

    Qt could not: their signature names a C++ type that PySide6 has not heard of.
    """

    def __init__(self, parent=None):
        super().__init__(parent)
        for cls in CUSTOM.values():
            self.registerCustomWidget(cls)

    def load(self, device, parent=None):
        root = ET.fromstring(bytes(device.readAll()))
        unknown = {c.text for c in root.findall("customwidgets/customwidget/class")} - set(CUSTOM)
        if unknown:
            raise RuntimeError(
                f"The host has no {', '.join(sorted(unknown))}: add it to Testing/host"
            )
        links = self._take_scene_connections(root)
        buffer = QtCore.QBuffer()
        buffer.setData(ET.tostring(root))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        for sender, receiver in links:
            self._find(widget, sender).mrmlSceneChanged.connect(
                self._find(widget, receiver).setMRMLScene
            )
        return widget

    @staticmethod
    def _take_scene_connections(root: ET.Element) -> list[tuple[str, str]]:
        links = []
        connections = root.find("connections")
        for link in list(connections) if connections is not None else []:
            if "vtkMRMLScene" in (link.findtext("signal") or ""):
                links.append((link.findtext("sender"), link.findtext("receiver")))
                connections.remove(link)
        return links

    @staticmethod
    def _find(widget, name: str):
        found = widget if widget.objectName() == name else widget.findChild(QtCore.QObject, name)
        if found is None:
            raise RuntimeError(f"A connection of the .ui file names {name}, which it does not have")
        return found
