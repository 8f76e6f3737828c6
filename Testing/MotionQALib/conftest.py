"""What the tests of results and reports share, and those of the worker."""

import numpy as np
import pytest

from MotionQALib.protocol import Assess
from MotionQALib.results import Assessment

from .worker_child import Child


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


@pytest.fixture
def child():
    """A worker of the test's own, which it may harm."""
    child = Child()
    yield child
    child.close()


@pytest.fixture
def ask(checkpoint_file, tmp_path):
    """Make an `Assess` of random voxels with ids of its own."""
    rng = np.random.default_rng(3)

    def make(slices: int = 3, kind: type = Assess, shape: tuple = (64, 72), **fields) -> Assess:
        make.count += 1
        path = tmp_path / f"{make.count}.npy"
        if "voxels" not in fields:
            np.save(path, rng.integers(0, 900, (1, slices, *shape)).astype(np.int16))
        values = {
            "id": id(tmp_path) % 10**6 * 1000 + make.count,
            "checkpoint": str(checkpoint_file),
            "device": "cpu",
            "voxels": str(path),
            "spacing": [8.0, 1.5, 1.5],
            "name": "random",
        }
        return kind(**{**values, **fields})

    make.count = 0
    return make
