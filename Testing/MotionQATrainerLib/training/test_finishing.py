from dataclasses import replace

import numpy as np
import pytest
import torch

from MotionQALib.devices import DeviceSetup
from MotionQALib.preprocessing import Preprocessing
from MotionQATrainerLib.data.datasets import SliceStore
from MotionQATrainerLib.data.splits import Split
from MotionQATrainerLib.training import finishing
from MotionQATrainerLib.training.finishing import labelled_volumes, volume_rule


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


def test_rare_volumes_count_for_more(monkeypatch):
    given = []
    monkeypatch.setattr(
        finishing.VolumeRule, "fit", lambda volumes, levels, weights: given.append(weights)
    )
    store = store_of(80, labelled=80)
    worst, best = np.eye(5, dtype=bool)[[0, 4]]
    split = Split(["a"], ["b"])
    valid = split.indices(store.subjects, "valid")
    images = {str(image) for image in store.images[valid]}
    store = replace(
        store,
        volume_levels={
            image: worst if number < 4 else best for number, image in enumerate(sorted(images))
        },
    )
    graded = valid, np.full((len(valid), 5), 0.2)
    volume_rule(None, CPU, store, split, 1.0, graded, 0.5)
    assert len(set(given[0].round(9))) == 2
    assert given[0].max() / given[0].min() == pytest.approx((36 / 4) ** 0.5)


def test_without_labelled_volumes_the_rule_is_the_mean(monkeypatch):
    store = replace(store_of(6, labelled=0))
    split = Split(["a"], ["b"])
    valid = split.indices(store.subjects, "valid")
    rule, _ = volume_rule(None, CPU, store, split, 1.0, (valid, np.full((len(valid), 5), 0.2)))
    assert rule.slope is None
