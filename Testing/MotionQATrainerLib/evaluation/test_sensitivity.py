import numpy as np
import pytest

from MotionQALib.results import Assessment
from MotionQATrainerLib.data.clean_patients import find_patients
from MotionQATrainerLib.evaluation.sensitivity import (
    AMPLITUDES,
    amplitude_sweep,
    interval,
    share_graded_mild,
    sweep,
)
from MotionQATrainerLib.simulation.phantom import Phantom


class Stand:
    """Scores slices by a given function of the voxels."""

    def __init__(self, expected):
        self.expected = expected
        self.seen = []

    def assess(self, volume):
        self.seen.append(volume)
        scores = np.array([self.expected(image) for image in volume.voxels[0]])
        low = np.floor(scores).clip(1, 4).astype(int)
        p = np.zeros((1, len(scores), 5))
        p[0, np.arange(len(scores)), low - 1] = 1 - (scores - low)
        p[0, np.arange(len(scores)), low] = scores - low
        return Assessment(
            volume.name, None, None, "stand", "", p, p[0].mean(axis=0),
            np.zeros((1, len(scores)), bool), False, "cpu", "fp32", 0.0,
        )  # fmt: skip


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    for seed in range(2):
        Phantom(seed=seed, n_slices=5, shape=(72, 80), spacing=(8.0, 3.5, 3.5), noise=0).save(
            folder / f"person{seed}.nii.gz"
        )
    return find_patients(folder)


def test_the_sweep_starts_untouched_and_moves_ever_more(patients):
    stand = Stand(lambda image: 3)
    found = sweep(stand, patients[0], np.random.default_rng(0))
    assert found.shape == (3, len(AMPLITUDES))
    volume = stand.seen[0]
    assert volume.n_frames == 1  # moving frames would shift the crop
    stack, _ = patients[0].read("ED")
    steps = volume.voxels[0].reshape(len(AMPLITUDES), 3, *stack.shape[1:])
    assert np.allclose(steps[0], stack[[1, 2, 3]], atol=1e-3 * stack.max())
    change = [np.abs(step - steps[0]).mean() for step in steps]
    assert change[-1] > change[3] > change[1] > 0


def test_a_blind_grader_has_no_correlation(patients):
    assert amplitude_sweep(Stand(lambda image: 3), patients).value == 0


def test_a_grader_that_sees_motion_correlates(patients):
    # The clean phantom's background is even; what moves is smeared into it.
    rough = Stand(lambda image: 5 - 4 * np.tanh(np.abs(np.diff(image, axis=0)).mean() / 200))
    smooth = amplitude_sweep(rough, patients)
    assert abs(smooth.value) > 0.5
    assert smooth.low <= smooth.value <= smooth.high


def test_the_share_of_mild_volumes_and_the_others_names(patients):
    found, others = share_graded_mild(Stand(lambda image: 5), patients)
    assert (found.value, others) == (1, [])
    brightness = [image.sum() for image in patients[0].read("ED")[0]]
    first = Stand(lambda image: 5 if np.isclose(image.sum(), brightness).any() else 2)
    found, others = share_graded_mild(first, patients)
    assert found.value == 0.5
    assert others == ["person1-ED"]


def test_the_interval_draws_subjects():
    values = np.array([1.0] * 50 + [0.0] * 50)
    names = ["a"] * 50 + ["b"] * 50
    found = interval(values, names, np.mean)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    assert np.isnan(interval(values, ["a"] * 100, np.mean).low)
