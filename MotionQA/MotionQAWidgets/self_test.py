"""What the modules' self-tests need to do as a user does, in any Slicer."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import slicer

LIMIT = 50.0
"""Seconds that one thing may take: the first start of the grading process, torch included."""


def has_window() -> bool:
    """Whether this Slicer has its main window, in which modules are entered."""
    return slicer.util.mainWindow() is not None


def enter(module: str):
    """Choose a module as a user does, with slice views beside it; its Python widget."""
    layout = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    slicer.app.layoutManager().setLayout(layout)
    slicer.util.selectModule(module)
    slicer.app.processEvents()
    return slicer.util.getModuleWidget(module)


def wait(condition: Callable[[], object], what: str) -> None:
    """Let Slicer's window go on until the condition holds; AssertionError where it never does."""
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"Within {LIMIT:g} s, it did not happen that {what}.")
        slicer.app.processEvents()
        time.sleep(0.01)


def drawn(view: str = "Red") -> list[str]:
    """The texts that are drawn into a slice view, its corner annotations aside."""
    window = slicer.app.layoutManager().sliceWidget(view).sliceView().renderWindow()
    props = window.GetRenderers().GetFirstRenderer().GetViewProps()
    actors = [props.GetItemAsObject(index) for index in range(props.GetNumberOfItems())]
    texts = [a for a in actors if a.IsA("vtkTextActor") and a.GetVisibility()]
    return [actor.GetInput() for actor in texts if actor.GetInput()]


def cells(table, row: int) -> list[str]:
    """The texts in the columns of a table's row that can be seen."""
    seen = [column for column in range(table.columnCount) if not table.isColumnHidden(column)]
    items = [table.item(row, column) for column in seen]
    return ["" if item is None else item.text() for item in items]


def ring(slices: int = 3, seed: int = 0):
    """A volume in the slice views: a bright ring, and noise, of 128 × 128 pixels."""
    noise = np.random.default_rng(seed).integers(0, 40, (slices, 128, 128))
    rows, columns = np.mgrid[-64:64, -64:64]
    voxels = 400 * (abs(np.hypot(rows, columns) - 25) < 8) + noise
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"ring{seed}")
    node.SetSpacing(1.4, 1.4, 8)
    slicer.util.updateVolumeFromArray(node, voxels.astype(np.int16))
    node.CreateDefaultDisplayNodes()
    if has_window():
        slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node
