"""Slices as pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from MotionQALib.slice_pictures import LONGEST_SIDE, draw, positions_to_show
from MotionQALib.volumes import Volume


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.fixture
def volume(rng):
    """Two frames of three slices; pixels twice as high as wide."""
    return Volume(rng.integers(0, 900, (2, 3, 60, 80), dtype=np.int16), (8.0, 2.0, 1.0))


def test_pixels_are_square_whatever_the_spacing(volume):
    (picture,) = draw(volume, [0])
    rows, columns = pixels(picture.image).shape
    assert max(rows, columns) == LONGEST_SIDE
    assert rows / columns == pytest.approx(120 / 80, rel=0.02)


def test_positions_count_through_the_frames(volume):
    drawn = draw(volume, [4, 2])
    assert [(picture.frame, picture.slice) for picture in drawn] == [(1, 1), (0, 2)]


def test_all_slices_share_one_window():
    dark = np.tile(np.linspace(0, 100, 64, dtype=np.int16), (64, 1))
    drawn = draw(Volume(np.stack([dark, dark + 300])[None], (8, 1, 1)), [0, 1])
    first, second = (pixels(picture.image).mean() for picture in drawn)
    assert first < 90 < 160 < second


def test_picture_lies_as_it_is_stored():
    voxels = np.zeros((1, 1, 64, 64), dtype=np.int16)
    voxels[..., :20, 40:] = 1000
    image = pixels(draw(Volume(voxels, (8, 1, 1)), [0])[0].image)
    middle = LONGEST_SIDE // 2
    assert image[:40, middle + 60 :].min() > 200
    assert image[middle:].max() < 50


def test_overlay_is_clear_where_nothing_is_relevant(volume):
    relevance = np.zeros((1, 60, 80), dtype=np.float32)
    relevance[0, :20, :30] = 1.0
    (picture,) = draw(volume, [0], relevance)
    overlay = pixels(picture.overlay)
    assert overlay.shape == (*pixels(picture.image).shape, 4)
    assert overlay[:40, :30, 3].min() > 150
    assert overlay[120:, 100:, 3].max() == 0


def test_without_relevance_there_is_no_overlay(volume):
    assert draw(volume, [0])[0].overlay is None


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
def test_any_voxel_type_and_a_blank_slice(dtype):
    voxels = np.zeros((1, 2, 8, 400), dtype=dtype)
    voxels[0, 1] = 7
    assert len(draw(Volume(voxels, (8, 1.0, 0.5)), [0, 1])) == 2


def test_worst_frame_of_each_slice_is_shown(assessment):
    expected = assessment.expected_scores
    for index, position in enumerate(positions_to_show(assessment)):
        frame, shown = divmod(position, assessment.n_slices)
        assert shown == index
        assert expected[frame, index] == expected[:, index].min()
