"""Spacings that no heart can have are remarked, whoever reads the volume."""

from __future__ import annotations

import re

import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.doubts import doubts_of
from MotionQALib.volumes import Volume


def volume(spacing, shape=(3, 192, 200), **facts):
    rng = np.random.default_rng(0)
    return Volume(rng.integers(0, 900, shape, dtype=np.int16), spacing, **facts)


@pytest.mark.parametrize("spacing", [(8.0, 1.4, 1.4), (1.2, 1.2, 1.2), (10, 1, 1), (6, 3, 0.7)])
def test_usual_spacings_are_not_doubted(spacing):
    assert doubts_of(volume(spacing)) == ()


@pytest.mark.parametrize(
    ("spacing", "words"),
    [
        ((1, 1, 1), "No voxel size is known.*--spacing"),
        ((8, 0.1, 0.1), "field of view of 20 mm"),
        ((8, 14, 14), "field of view of 2.8e\\+03 mm"),
    ],
)
def test_impossible_ones_are(spacing, words):
    doubted = volumes.check(volume(spacing))
    assert len(doubted.remarks) == 1
    assert re.search(words, doubted.remarks[0])
    assert volumes.check(doubted) is doubted


def test_frames_taken_for_slices_are_doubted():
    """A cine of one slice, saved as a volume of three axes."""
    (near,) = doubts_of(volume((0.04, 1.4, 1.4), (25, 192, 200)))
    (deep,) = doubts_of(volume((8.0, 1.4, 1.4), (30, 192, 200)))
    assert "nearer than its pixels" in near and "30 slices span 240 mm" in deep
    assert near.endswith("--frame-axis.") and deep.endswith("--frame-axis.")
    assert doubts_of(volume((8.0, 1.4, 1.4), (20, 192, 200))) == ()
    assert doubts_of(volume((8.0, 1.4, 1.4), (2, 30, 192, 200))) == ()


def test_what_somebody_answers_for_is_not_doubted(tmp_path):
    import nibabel

    path = tmp_path / "eye.nii"
    voxels = volume((1, 1, 1)).voxels[0].T.astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), path)
    assert "No voxel size is known" in " ".join(volumes.read(path).remarks)
    given = volumes.read(path, spacing=(None, 1.4, 1.5))
    assert given.spacing == (1.0, 1.4, 1.5)
    assert given.remarks == ("Its spacing, 1 × 1.4 × 1.5 mm, was given by hand.",)
