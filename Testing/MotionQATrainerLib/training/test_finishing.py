from dataclasses import replace

import numpy as np
import pytest
import torch

from MotionQALib.devices import DeviceSetup
from MotionQALib.preprocessing import Preprocessing
from MotionQATrainerLib.data.datasets import SliceStore
from MotionQATrainerLib.data.splits import Split
from MotionQATrainerLib.training import finishing
from MotionQATrainerLib.training.finishing import grade_weights, labelled_volumes, volume_rule


def store_of(n_volumes, labelled):
    """Volumes of three slices, stored from the last slice to the first; half train."""
    n = 3 * n_volumes
    images = np.repeat([f"v{i:03d}" for i in range(n_volumes)], 3)
    levels = np.eye(5, dtype=bool)
    return SliceStore(
        crops=np.zeros((n, 1, 1), np.float16),
        images=images,
        subjects=np.repeat(["a" if i % 2 else "b" for i in range(n_volumes)], 3),
        frames=np.zeros(n, int),
        slices=np.tile([2, 1, 0], n_volumes),
        levels=levels[np.zeros(n, int)],
        volume_levels={image: levels[i % 5] for i, image in enumerate(images[::3][:labelled])},
        preprocessing=Preprocessing(size=32),
    )


def test_volumes_come_with_their_slices_in_order():
    store = store_of(4, labelled=3)
    indices = np.array([5, 3, 4, 9, 10, 11, 0, 1, 2])  # volumes 1, 3, 0; 3 has no label
    probabilities = np.tile(store.slices[indices][:, None] / 10, 5)
    volumes, levels = labelled_volumes(store, indices, probabilities)
    assert [volume[:, 0].tolist() for volume in volumes] == [[0.0, 0.1, 0.2]] * 2
    assert [int(np.argmax(level)) for level in levels] == [0, 1]


@pytest.fixture
def seen(monkeypatch):
    """What the rule was fitted on."""
    used = []
    fit = finishing.VolumeRule.fit
    monkeypatch.setattr(
        finishing.VolumeRule, "fit", lambda volumes, *_: used.append(volumes) or fit([], [])
    )
    return used


CPU = DeviceSetup(torch.device("cpu"))


def test_with_enough_validation_volumes_the_rule_is_fitted_on_them_alone(seen):
    store = store_of(80, labelled=80)
    split = Split(["a"], ["b"])
    valid = split.indices(store.subjects, "valid")
    _, said = volume_rule(None, CPU, store, split, 1.0, (valid, np.full((len(valid), 5), 0.2)))
    assert len(seen[0]) == 40
    assert said == "The volume rule was fitted on 40 validation volumes."


def test_with_few_the_training_volumes_are_graded_out_of_fold(monkeypatch):
    """Never by a last layer that has seen the subject: the held subject's labels are misleading,
    and its own would have shown in what it is given."""
    n_volumes, used, taught = 20, [], []
    store = store_of(n_volumes, labelled=n_volumes)
    subjects = np.repeat([f"s{i // 2}" for i in range(n_volumes)], 3)
    store = replace(store, subjects=subjects)
    split = Split([f"s{i}" for i in range(8)], ["s8", "s9"])
    train = split.indices(subjects, "train")
    features = torch.arange(len(train), dtype=torch.float32)[:, None].repeat(1, 2)
    monkeypatch.setattr(finishing, "look", lambda *given: (features, np.zeros((len(train), 5))))

    def head(x, levels, start, n, weight=1.0):
        taught.append(set(subjects[train[x[:, 0].astype(int)]]))
        return np.zeros((5, 2)), np.zeros(5)

    monkeypatch.setattr(finishing, "fit_head", head)
    fit = finishing.VolumeRule.fit
    monkeypatch.setattr(
        finishing.VolumeRule, "fit", lambda volumes, *_: used.append(volumes) or fit([], [])
    )
    valid = split.indices(subjects, "valid")
    _, said = volume_rule(None, CPU, store, split, 1.0, (valid, np.full((len(valid), 5), 0.2)))
    assert len(used[0]) == 20
    everybody = set(split.train)
    left_out = [everybody - seen_by for seen_by in taught]
    assert all(left_out) and set.union(*left_out) == everybody
    assert sum(map(len, left_out)) == len(everybody)
    assert "4 validation volumes" in said and "16 training volumes, out of fold" in said


def test_every_grade_counts_alike():
    eye = np.eye(5, dtype=bool)
    levels = eye[[0] * 4 + [1] * 6 + [2] * 30 + [4] * 60]
    weights = grade_weights(levels)
    assert [weights[part].sum() for part in (slice(10), slice(10, 40), slice(40, 100))] == (
        pytest.approx([1, 1, 1])
    )
    severe = np.array([[True, True, False, False, False]])
    assert grade_weights(np.concatenate([severe, levels[40:]]))[0] == 1 / 5  # one sets nothing


def test_the_rule_is_fitted_with_every_grade_alike(monkeypatch):
    given = []
    monkeypatch.setattr(
        finishing.VolumeRule, "fit", lambda volumes, levels, weights: given.append(weights)
    )
    store = store_of(80, labelled=80)
    valid = Split(["a"], ["b"]).indices(store.subjects, "valid")
    worst, best = np.eye(5, dtype=bool)[[0, 4]]
    images = sorted({str(image) for image in store.images[valid]})
    store = replace(
        store, volume_levels={image: worst if n < 8 else best for n, image in enumerate(images)}
    )
    graded = valid, np.full((len(valid), 5), 0.2)
    volume_rule(None, CPU, store, Split(["a"], ["b"]), 1.0, graded)
    assert sorted(given[0].round(6)) == [round(1 / 32, 6)] * 32 + [0.125] * 8


def test_without_labelled_volumes_the_rule_is_the_mean(monkeypatch):
    store = replace(store_of(6, labelled=0))
    split = Split(["a"], ["b"])
    valid = split.indices(store.subjects, "valid")
    rule, _ = volume_rule(None, CPU, store, split, 1.0, (valid, np.full((len(valid), 5), 0.2)))
    assert rule.slope is None
