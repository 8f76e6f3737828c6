import numpy as np
import pytest

from MotionQALib import checkpoints
from MotionQATrainerLib.data.clean_patients import find_patients
from MotionQATrainerLib.data.splits import Split
from MotionQATrainerLib.simulation.phantom import Phantom
from MotionQATrainerLib.training import fit as fit_module
from MotionQATrainerLib.training import on_the_fly
from MotionQATrainerLib.training.on_the_fly import Simulated


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    for seed in range(4):
        Phantom(seed=seed, n_slices=3, shape=(64, 72), spacing=(10.0, 4.0, 4.0)).save(
            folder / f"person{seed}.nii.gz"
        )
    return folder


@pytest.fixture
def source(clean, small_settings):
    settings = small_settings.changed({"model.spacing": 4.0, "data.simulations": 2})
    split = Split(["person0", "person1"], ["person2"], ["person3"])
    return Simulated(find_patients(clean), split, settings)


def test_an_epoch_shows_each_training_patient_with_four_behaviours(source):
    store, indices = source.epoch(0)
    assert set(store.subjects) == {"person0", "person1"}
    assert len(indices) == len(store) == 2 * 4 * 3
    assert store.crops.shape[1:] == (40, 40)
    assert len(store.volume_levels) == 8
    assert store.levels.sum(axis=1).tolist() == [1] * 24
    images, _ = store.batch(indices[:3])
    assert images.shape == (3, 1, 32, 32)


def test_motion_is_new_in_each_epoch_and_the_same_again(source):
    first, again, other = (source.epoch(number)[0] for number in (0, 0, 1))
    assert np.array_equal(first.crops, again.crops)
    assert not np.array_equal(np.sort(first.crops, axis=0), np.sort(other.crops, axis=0))


def test_an_epoch_is_as_long_as_asked(source):
    source.settings = source.settings.changed({"data.epoch_slices": 40})
    store, _ = source.epoch(0)
    assert 40 <= len(store) < 40 + 12
    assert len(set(store.volumes)) == len(store) // 3  # a patient met twice is another subject


def test_the_reference_has_no_test_patient(source):
    store = source.reference()
    counts = dict(zip(*np.unique(store.subjects, return_counts=True), strict=True))
    assert counts == {"person0": 12, "person1": 12, "person2": 24}


def test_fit_without_labels_simulates(clean, small_settings, tmp_path, monkeypatch):
    seen = []
    epoch = Simulated.epoch
    monkeypatch.setattr(
        on_the_fly.Simulated, "epoch", lambda self, n: seen.append(n) or epoch(self, n)
    )
    fitted = fit_module.fit(clean, None, tmp_path / "a.safetensors", small_settings)
    assert {0, 1} <= set(seen)
    assert fitted.card.training["subjects"] == {"train": 2, "valid": 1, "test": 1}
    assert fitted.card.training["slices"]["test"] == 0
    assert fitted.card.motion == "simulated"
    assert fitted.card.notice == checkpoints.SIMULATED_NOTICE
