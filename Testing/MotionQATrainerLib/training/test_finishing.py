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


@pytest.mark.parametrize(("n_volumes", "parts"), [(20, {"b", "a"}), (80, {"b"})])
def test_the_rule_takes_volumes_that_trained_only_where_others_are_few(
    monkeypatch, n_volumes, parts
):
    store = store_of(n_volumes, labelled=n_volumes)
    split = Split(["a"], ["b"])
    used = []
    monkeypatch.setattr(
        finishing, "predict", lambda m, p, store, indices: np.zeros((len(indices), 5))
    )
    fit = finishing.VolumeRule.fit
    monkeypatch.setattr(
        finishing.VolumeRule, "fit", lambda volumes, levels: used.append(volumes) or fit([], [])
    )
    valid = split.indices(store.subjects, "valid")
    flat = np.full((len(valid), 5), 0.2)
    volume_rule(None, DeviceSetup(torch.device("cpu")), store, split, 1.0, (valid, flat))
    expected = np.isin(store.subjects[::3], list(parts)).sum()
    assert len(used[0]) == expected


def test_without_labelled_volumes_the_rule_is_the_mean(monkeypatch):
    store = replace(store_of(6, labelled=0))
    monkeypatch.setattr(
        finishing, "predict", lambda m, p, store, indices: np.zeros((len(indices), 5))
    )
    valid = Split(["a"], ["b"]).indices(store.subjects, "valid")
    rule = volume_rule(
        None, DeviceSetup(torch.device("cpu")), store, Split(["a"], ["b"]), 1.0,
        (valid, np.full((len(valid), 5), 0.2)),
    )  # fmt: skip
    assert rule.slope is None
