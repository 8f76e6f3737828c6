import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from MotionQALib.preprocessing import Preprocessing
from MotionQALib.scale import median_score
from MotionQATrainerLib.data.datasets import SliceStore
from MotionQATrainerLib.evaluation.baselines import FrozenNetwork, ImageQualityForest, Slices

BLUR = {5: 0.3, 4: 0.8, 3: 1.4, 2: 2.2, 1: 3.5}


def slices(subjects, seed=0, side=48, n_slices=4):
    """A volume a subject and score; its slices are as blurred as the score says."""
    rng = np.random.default_rng(seed)
    images, levels, names, volumes, volume_levels = [], [], [], [], {}
    for subject in subjects:
        for score, sigma in BLUR.items():
            volume = f"{subject}-{score}"
            volume_levels[volume] = np.arange(1, 6) == score
            for _ in range(n_slices):
                texture = (rng.uniform(size=(side, side)) > 0.97) * 8.0
                images.append(gaussian_filter(texture, 0.7) + gaussian_filter(texture, sigma) * 3)
                levels.append(np.arange(1, 6) == score)
                names.append(subject)
                volumes.append(volume)
    images = np.array(images, np.float32)
    images = (images - images.mean((1, 2), keepdims=True)) / images.std((1, 2), keepdims=True)
    return Slices(images, np.array(levels), np.array(names), np.array(volumes), volume_levels)


TRAIN, TEST = slices(["a", "b", "c", "d"]), slices(["e", "f"], seed=1)


class QuickForest(ImageQualityForest):
    def candidates(self):
        from sklearn.ensemble import RandomForestClassifier

        return [RandomForestClassifier(40, min_samples_leaf=n, random_state=0) for n in (2, 60)]


@pytest.fixture(scope="module", params=[QuickForest, FrozenNetwork])
def baseline(request):
    torch.manual_seed(0)
    return request.param().fit(TRAIN)


def test_other_subjects_are_graded(baseline):
    found = baseline.predict(TEST)
    assert found.slices.shape == (len(TEST.images), 5)
    assert np.allclose(found.slices.sum(axis=1), 1) and (found.slices >= 0).all()
    truth = 1 + TEST.levels.argmax(axis=1)
    error = np.abs(median_score(found.slices) - truth).mean()
    assert error < 0.8  # guessing 3 errs by 1.2
    assert list(found.volumes) == list(TEST.volume_levels)
    volume_truth = np.array([int(name[-1]) for name in found.volumes])
    volume_error = np.abs(median_score(np.array(list(found.volumes.values()))) - volume_truth)
    assert volume_error.mean() <= error


def test_labels_of_the_test_are_not_looked_at(baseline):
    blind = Slices(TEST.images, TEST.levels[::-1], TEST.subjects, TEST.volumes, {})
    assert np.array_equal(baseline.predict(blind).slices, baseline.predict(TEST).slices)


def test_the_rule_is_fitted_on_held_out_folds():
    # Labels that mean nothing: on slices that it was fitted on, a forest would know them by heart,
    # and the rule would trust it.
    labels = np.eye(5, dtype=bool)[np.random.default_rng(0).integers(0, 5, 20)]
    levels = dict(zip(TRAIN.volume_levels, labels, strict=True))
    slice_levels = np.array([levels[volume] for volume in TRAIN.volumes])
    noise = Slices(TRAIN.images, slice_levels, TRAIN.subjects, TRAIN.volumes, levels)
    assert QuickForest().fit(noise).rule.slope < 3 < QuickForest().fit(TRAIN).rule.slope


def test_the_likelier_candidate_is_kept():
    assert QuickForest().fit(TRAIN).scorer.classifier.min_samples_leaf == 2


def test_grades_train_too():
    levels = TRAIN.levels.copy()
    levels[:, :2] = levels[:, :2].any(axis=1, keepdims=True)
    levels[:, 3:] = levels[:, 3:].any(axis=1, keepdims=True)
    graded = Slices(TRAIN.images, levels, TRAIN.subjects, TRAIN.volumes, {})
    found = QuickForest().fit(graded)
    p = found.predict(TEST).slices
    assert np.allclose(p[:, 0], p[:, 1]) and np.allclose(p[:, 3], p[:, 4])
    right = (p * np.concatenate([levels[:20]] * 2)).sum(axis=1)  # TEST's scores repeat TRAIN's
    assert right.mean() > 0.7
    assert found.rule.slope is None  # no volume had a label: the plain mean


def test_a_score_nobody_gave_has_no_probability():
    keep = ~TRAIN.levels[:, 4]
    fewer = Slices(
        *(x[keep] for x in (TRAIN.images, TRAIN.levels, TRAIN.subjects, TRAIN.volumes)), {}
    )
    p = QuickForest().fit(fewer).predict(TEST).slices
    assert (p[:, 4] == 0).all() and np.allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("kind", [QuickForest, FrozenNetwork])
def test_one_score_alone_is_all_there_is_to_say(kind):
    same = np.tile(np.arange(5) == 3, (len(TRAIN.images), 1))
    alike = Slices(TRAIN.images, same, TRAIN.subjects, TRAIN.volumes, {})
    assert (kind().fit(alike).predict(TEST).slices == np.eye(5)[3]).all()


def test_one_subject_is_refused():
    alone = Slices(TRAIN.images, TRAIN.levels, np.full(len(TRAIN.images), "a"), TRAIN.volumes, {})
    with pytest.raises(ValueError, match="two training subjects"):
        QuickForest().fit(alone)


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="as many subjects"):
        Slices(TRAIN.images, TRAIN.levels, TRAIN.subjects[1:], TRAIN.volumes, {})


def test_frozen_network_says_its_weights_and_keeps_them():
    network = FrozenNetwork()
    images = TEST.images[:6].astype(np.float16)
    features = network.features(images)
    assert features.shape == (6, 1280) and "weights" in network.origin
    network.batch_size = 4
    assert np.allclose(network.features(images), features, atol=1e-4)


def test_taken_from_a_store_in_the_volumes_order():
    rng = np.random.default_rng(0)
    size, margin = 32, 8
    crops = rng.uniform(size=(6, size + margin, size + margin)).astype(np.float16)
    store = SliceStore(
        crops=crops,
        images=np.array(["b", "a", "b", "a", "a", "b"]),
        subjects=np.array(["Q", "P", "Q", "P", "P", "Q"]),
        frames=np.zeros(6, int),
        slices=np.array([1, 2, 0, 0, 1, 2]),
        levels=np.eye(5, dtype=bool)[[0, 1, 2, 3, 4, 0]],
        volume_levels={"a": np.arange(5) == 4},
        preprocessing=Preprocessing(size=size),
    )
    taken = Slices.of(store, np.array([0, 1, 2, 3, 4]))
    order = [3, 4, 1, 2, 0]
    expected, _ = store.batch(np.array(order))
    assert np.allclose(taken.images, expected[:, 0].numpy(), atol=2e-3)
    assert (taken.levels == store.levels[order]).all()
    assert taken.subjects.tolist() == ["P", "P", "P", "Q", "Q"]
    assert list(taken.volume_levels) == [0] and taken.volume_levels[0][4]
