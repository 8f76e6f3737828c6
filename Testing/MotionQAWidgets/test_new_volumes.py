"""The panel takes up a volume that is opened while none is chosen, and an image that comes late."""

from __future__ import annotations

import numpy as np
import pytest

from host import pythonqt

from . import graded

pythonqt(__name__)


@pytest.fixture
def panel(host):
    """The module entered on an empty scene."""
    yield host.enter("MotionQA")
    host.leave()


def chosen(panel):
    return panel.ui.volumeSelector.currentNode()


def test_a_volume_opened_while_none_is_chosen_is_chosen(host, panel):
    assert not panel.ui.assessButton.enabled
    volume = graded.noise()
    host.process_events(0.05)
    assert chosen(panel) is volume
    assert panel.ui.assessButton.enabled


def test_another_one_is_not_chosen_instead(host, panel):
    volume = graded.noise()
    host.process_events(0.05)
    graded.noise("another")
    host.process_events(0.05)
    assert chosen(panel) is volume


def test_a_mask_is_not_chosen(host, panel):
    import slicer

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    host.process_events(0.05)
    assert chosen(panel) is None


def test_the_button_hears_of_an_image_that_comes_later(host, panel):
    import slicer

    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    host.process_events(0.05)
    assert chosen(panel) is empty and not panel.ui.assessButton.enabled
    slicer.util.updateVolumeFromArray(empty, np.zeros((3, 64, 64), np.int16))
    assert panel.ui.assessButton.enabled


def test_nothing_is_waited_for_once_the_module_is_left(host, panel):
    import slicer

    host.leave()
    assert not slicer.mrmlScene.IsBatchProcessing()
    graded.noise()
    host.process_events(0.05)
    assert panel.logic.getParameterNode().inputVolume is None
