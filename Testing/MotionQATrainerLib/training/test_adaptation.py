from dataclasses import replace

import numpy as np
import pytest
import torch

from MotionQALib import backbones
from MotionQALib.devices import DeviceSetup
from MotionQATrainerLib.data.labels import levels_of_score
from MotionQATrainerLib.evaluation.calibration import softmax
from MotionQATrainerLib.training.adaptation import fit_head, held_out, look


@pytest.fixture
def readers(rng):
    """Features that tell the score, and a head that knows nothing."""
    scores = rng.integers(1, 6, 400)
    features = np.column_stack([scores + rng.normal(0, 0.3, 400), rng.normal(0, 1, (400, 7))])
    return features, np.array([levels_of_score(int(s)) for s in scores]), scores


def test_many_labels_move_the_head_and_few_hardly(readers):
    features, levels, scores = readers
    start = np.zeros((5, 8)), np.zeros(5)
    weights, biases = fit_head(features, levels, start, n_volumes=400)
    right = (features @ weights.T + biases).argmax(axis=1) + 1 == scores
    assert right.mean() > 0.8
    few, _ = fit_head(features, levels, start, n_volumes=1)
    assert 0 < np.abs(few).max() < 0.2 * np.abs(weights).max()


def test_a_head_that_is_right_already_stays(readers):
    features, levels, _ = readers
    best = fit_head(features, levels, (np.zeros((5, 8)), np.zeros(5)), n_volumes=10**6)
    again = fit_head(features, levels, best, n_volumes=400)
    before, after = (softmax(features @ w.T + b) for w, b in (best, again))
    np.testing.assert_allclose(before, after, atol=0.02)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "coat_lite_small"])
def test_what_the_last_layer_is_given_gives_the_logits(name, tiny_store):
    torch.manual_seed(0)
    model, _ = backbones.create(name, size=32)
    place = DeviceSetup(torch.device("cpu"))
    features, logits = look(place.settle(model), place, tiny_store)
    layer = model.get_classifier()
    expected = features @ layer.weight.detach().double().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert len(features) == len(tiny_store)


def test_held_out_labels_have_no_influence(tiny_store, rng):
    """Neither on the head, nor on the calibration, nor on the heads that this is fitted behind."""
    features = rng.normal(size=(40, 6)) + 2 * tiny_store.levels @ rng.normal(size=(5, 6))
    folds = np.array_split(np.arange(40), 4)
    start = np.zeros((5, 6)), np.zeros(5)

    def probabilities(store):
        def logits_without(rows):
            weights, biases = fit_head(features[rows], store.levels[rows], start, n_volumes=20)
            return features @ weights.T + biases

        return held_out(store, [], folds, logits_without)[1]

    levels = tiny_store.levels.copy()
    levels[folds[1]] = np.eye(5, dtype=bool)[0]
    before, after = probabilities(tiny_store), probabilities(replace(tiny_store, levels=levels))
    np.testing.assert_array_equal(before[folds[1]], after[folds[1]])
    assert np.abs(before[folds[0]] - after[folds[0]]).max() > 0.01
