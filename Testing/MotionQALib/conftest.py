"""What the tests of results and reports share."""

import numpy as np
import pytest

from MotionQALib.results import Assessment


def make_assessment(probabilities, **details):
    """An assessment of (frames, slices, 5) probabilities, its volume the mean of them."""
    probabilities = np.asarray(probabilities, dtype=float)
    return Assessment(
        **{
            "volume": "heart",
            "source": "/data/heart.nii.gz",
            "identity": None,
            "checkpoint": "stub",
            "notice": "for tests; not a medical device",
            "probabilities": probabilities,
            "volume_probabilities": probabilities.mean(axis=(0, 1)),
            "uncertain": np.zeros(probabilities.shape[:2], dtype=bool),
            "volume_uncertain": False,
            "device": "cpu",
            "precision": "fp32",
            "seconds": 0.1,
            "remarks": ("a remark",),
            **details,
        }
    )


@pytest.fixture
def assessment(rng):
    """Two frames of three slices."""
    probabilities = rng.dirichlet(np.ones(5), size=(2, 3))
    return make_assessment(probabilities, uncertain=rng.random((2, 3)) > 0.5)


@pytest.fixture
def assessment_of():
    """Make an assessment of one frame from its slices' scores, all of them sure."""
    return lambda *scores, **details: make_assessment(np.eye(5)[np.array([scores]) - 1], **details)
