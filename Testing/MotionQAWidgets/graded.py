"""Volumes and assessments for the tests of results."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from MotionQALib.results import Assessment

LIBRARY = Path(__file__).resolve().parents[2] / "MotionQA"

SCORES = (5, 3, 1, 2, 4, 3)


def likely(score: int, certainty: float = 0.8) -> np.ndarray:
    """Probabilities of the scores 1 to 5 whose median is this score."""
    p = np.full(5, (1 - certainty) / 4)
    p[score - 1] = certainty
    return p


def assessment(
    scores=SCORES, *, volume_score: int = 2, name: str = "heart", **others
) -> Assessment:
    """Of one frame's scores, or of a row of scores a frame."""
    scores = np.atleast_2d(scores)
    probabilities = np.stack([[likely(score) for score in frame] for frame in scores])
    uncertain = np.zeros(scores.shape, bool)
    uncertain[:, 1] = True
    values = {
        "volume": name,
        "source": "/data/héart.nii.gz",
        "identity": None,
        "checkpoint": "random",
        "notice": 'trained on "simulated" motion; <not> a medical device',
        "probabilities": probabilities,
        "volume_probabilities": likely(volume_score, 0.7),
        "uncertain": uncertain,
        "volume_uncertain": False,
        "device": "cpu",
        "precision": "fp32",
        "seconds": 0.25,
        "remarks": ("Out of GPU memory: the CPU took over",),
    }
    return Assessment(**{**values, **others})


def volume(name: str = "heart", slices: int = len(SCORES), grey: int = 0, shown: bool = True):
    """64 x 64 pixels of one grey, in the slice views."""
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetSpacing(1.5, 1.5, 8)
    slicer.util.updateVolumeFromArray(node, np.full((slices, 64, 64), grey, np.int16))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevelMinMax(0, 1000)
    if shown:
        slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def noise(name: str = "heart", slices: int = 3):
    """Slices of 64 x 72 pixels that the grading process takes, in the slice views."""
    import slicer

    rng = np.random.default_rng(5)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetSpacing(1.5, 1.5, 8)
    slicer.util.updateVolumeFromArray(node, rng.integers(0, 900, (slices, 64, 72)).astype("int16"))
    node.CreateDefaultDisplayNodes()
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def cine(slices: int = 3, frames: int = 4, textured: bool = False):
    """A sequence's proxy volume and its browser; of one grey a frame, or textured, to be graded."""
    import slicer

    rng = np.random.default_rng(7)
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    for frame in range(frames):
        still = volume("still", slices, grey=100 * frame, shown=False)
        if textured:
            pixels = rng.integers(0, 900, (slices, 64, 64)).astype("int16")
            slicer.util.updateVolumeFromArray(still, pixels)
        sequence.SetDataNodeAtValue(still, str(frame))
        slicer.mrmlScene.RemoveNode(still)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    proxy = browser.GetProxyNode(sequence)
    slicer.util.setSliceViewerLayers(background=proxy, fit=True)
    return proxy, browser


def scroll(index: int, view: str = "Red") -> None:
    import slicer

    slicer.app.layoutManager().sliceWidget(view).sliceLogic().SetSliceOffset(8.0 * index)


def same_as_command_line(found: Assessment, path: Path, folder: Path) -> None:
    """Assert that ``motionqa assess`` grades the file or folder as was done in Slicer."""
    output = folder / "grades.json"
    command = [sys.executable, "-m", "MotionQALib.cli", "assess", str(path)]
    command += ["--device", "cpu", "--json", str(output)]
    subprocess.run(command, cwd=LIBRARY, check=True, timeout=280)
    (expected,) = json.loads(output.read_text("utf-8"))["assessments"]
    expected = Assessment.from_dict(expected)
    # Each process measures which precision is the faster one; bf16 has two to three digits.
    near = 1e-5 if found.precision == expected.precision else 0.05
    assert np.allclose(found.probabilities, expected.probabilities, atol=near)
    assert np.allclose(found.volume_probabilities, expected.volume_probabilities, atol=near)
    assert np.ptp(expected.probabilities, axis=(0, 1)).max() > 1e-3  # they tell slices apart
    assert found.identity == expected.identity
