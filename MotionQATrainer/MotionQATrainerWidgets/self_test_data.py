"""A small rated set, and what else the module's self-test needs, in any Slicer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer

from MotionQALib.spreadsheet_files import write_rows

SUBJECTS = 4


def write_set(folder: Path) -> Path:
    """Write images of some subjects, the noisier the worse, and their labels; the labels' file."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[-24:24, -24:24]
    ring = 100 + 300 * (abs(np.hypot(rows, columns) - 12) < 4)
    lines = []
    for subject in range(SUBJECTS):
        for score in (5, 3, 1):
            name = f"P{subject:03d}-{score}"
            voxels = ring + rng.normal(0, 25 * (6 - score), (2, *ring.shape))
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
            node.SetSpacing(1.5, 1.5, 8)
            slicer.util.updateVolumeFromArray(node, voxels.astype(np.int16))
            slicer.util.saveNode(node, str(folder / f"{name}.nrrd"))
            slicer.mrmlScene.RemoveNode(node)
            lines.append([name, score, f"P{subject:03d}"])
    labels = folder / "labels.csv"
    write_rows(labels, ("image", "score", "subject"), lines)
    return labels


def fill(ui, labels: Path, output: Path) -> None:
    """Fill in the form as a user does, for a training that does not end by itself soon."""
    ui.dataPathLineEdit.currentPath = str(labels.parent)
    ui.labelsKindComboBox.currentIndex = 0
    ui.labelsPathLineEdit.currentPath = str(labels)
    ui.startComboBox.currentIndex = 1  # random weights: nothing is fetched
    ui.startComboBox.activated.emit(1)
    ui.folderPathLineEdit.currentPath = str(output.parent)
    ui.nameLineEdit.text = output.stem
    ui.batchSizeSpinBox.value = 2
    ui.epochsSpinBox.value = 100
    ui.deviceComboBox.currentIndex = ui.deviceComboBox.findText("cpu")
