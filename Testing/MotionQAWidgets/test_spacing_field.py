"""A volume without voxel size is given one in the panel."""

from __future__ import annotations

import numpy as np
import pytest

from host import pythonqt

pythonqt(__name__)


@pytest.fixture
def volume(host):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "eye")
    voxels = np.random.default_rng(0).integers(0, 900, (4, 192, 200), dtype=np.int16)
    slicer.util.updateVolumeFromArray(node, voxels)
    return node


def test_it_shows_only_where_the_size_is_doubted_and_sets_it(volume):
    from MotionQAWidgets.spacing_field import SpacingField
    from MotionQAWidgets.volume_input import VolumeInput

    changes = []
    field = SpacingField(lambda: changes.append(field.refresh(volume)))
    field.refresh(None)
    assert not field.widget.visible
    field.refresh(volume)
    assert not field.widget.isHidden()
    field.number.value = 1.5
    field.button.click()
    assert len(changes) == 1
    assert field.widget.isHidden()
    given = VolumeInput.of_node(volume)
    assert given.spacing == pytest.approx((1.0, 1.5, 1.5))
    assert given.remarks == ("Its pixel spacing, 1.5 mm, was given by hand.",)
