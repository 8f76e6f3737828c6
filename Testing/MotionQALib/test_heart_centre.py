import numpy as np
import pytest

from MotionQALib.heart_centre import heart_centre
from MotionQALib.volumes import Volume


def beating(n_frames, centre, shape=(120, 140)):
    rows, columns = np.indices(shape)
    distance = np.hypot(rows - centre[0], columns - centre[1])
    radii = 18 + 6 * np.cos(2 * np.pi * np.arange(n_frames) / n_frames)
    return (distance < radii[:, None, None]).astype(np.float32)[:, None] + 0.1


def test_the_heart_of_a_cine_is_where_it_beats():
    volume = Volume(voxels=beating(20, (48, 80)), spacing=(8.0, 1.4, 1.4), name="cine")
    assert heart_centre(volume) == pytest.approx((48, 80), abs=2)


def test_a_still_volume_does_not_tell_where_the_heart_is():
    still = Volume(voxels=np.ones((1, 3, 64, 64)), spacing=(8.0, 1.4, 1.4), name="still")
    frozen = Volume(voxels=np.ones((9, 3, 64, 64)), spacing=(8.0, 1.4, 1.4), name="frozen")
    assert heart_centre(still) is None
    assert heart_centre(frozen) is None
