import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from MotionQALib.scale import expected_score, median_score
from MotionQALib.volume_rule import VolumeRule

FITTED = VolumeRule(0.5, 4.0, (1.5, 2.5, 3.5, 4.5))


def certain(*scores):
    return np.eye(5)[np.array(scores) - 1]


def test_unfitted_rule_is_the_plain_mean():
    p = np.random.default_rng(0).dirichlet(np.ones(5), size=7)
    assert np.allclose(VolumeRule()(p), p.mean(axis=0))


def test_edge_slices_weigh_less():
    # Weights 1/2, 1, 1, 1/2 of scores 1, 3, 5, 5: a sixth, a third, a half.
    assert np.allclose(VolumeRule(edge_weight=0.5)(certain(1, 3, 5, 5)), [1 / 6, 0, 1 / 3, 0, 0.5])
    assert np.allclose(VolumeRule(edge_weight=0.0)(certain(1, 3, 5, 5)), [0, 0, 0.5, 0, 0.5])


def test_ordinal_probabilities_worked_by_hand():
    # Mean expected score of 3, 3, 3 is 3: P(<= 2) = sigmoid(-2) and so on.
    s = 1 / (1 + np.exp(np.array([6.0, 2.0])))
    expected = [s[0], s[1] - s[0], 1 - 2 * s[1], s[1] - s[0], s[0]]
    assert np.allclose(FITTED(certain(3, 3, 3)), expected)


@pytest.mark.parametrize("rule", [VolumeRule(), VolumeRule(0.0), FITTED])
@pytest.mark.parametrize("scores", [(2,), (2, 2), (2, 2, 2)])
def test_few_slices_are_enough(rule, scores):
    p = rule(certain(*scores))
    assert p.shape == (5,) and median_score(p) == 2


@given(st.integers(1, 20), st.integers(0, 999), st.sampled_from([VolumeRule(), FITTED]))
def test_probabilities_stay_probabilities(n, seed, rule):
    p = rule(np.random.default_rng(seed).dirichlet(np.full(5, 0.3), size=n).astype(np.float32))
    assert p.shape == (5,) and (p >= 0).all() and p.sum() == pytest.approx(1)


def test_worse_slices_make_a_worse_volume():
    scores = [expected_score(FITTED(certain(4, 4, s, 4))) for s in (5, 4, 3, 2, 1)]
    assert (np.diff(scores) < 0).all()


def test_a_volume_of_nearly_all_mild_slices_is_mild():
    """Where the threshold was fitted at 3.99, a stack of all fours was moderate."""
    harsh = VolumeRule(0.5, 8.0, (1.6, 2.6, 3.99, 4.6))
    fours = np.tile([0.0, 0.05, 0.1, 0.75, 0.1], (11, 1))
    assert median_score(harsh(fours)) == 4
    fours[4] = [0, 0, 1, 0, 0]
    assert median_score(harsh(fours)) == 4
    fours[5:8] = [0, 0, 1, 0, 0]
    assert median_score(harsh(fours)) == 3


def test_slices_with_nan_are_left_out():
    p = certain(1, 5, 5, 4)
    p[1, 2] = np.nan
    assert np.allclose(VolumeRule()(p), [1 / 3, 0, 0, 1 / 3, 1 / 3])
    assert np.isfinite(FITTED(p)).all()
    for nothing in (np.full((3, 5), np.nan), np.empty((0, 5))):
        with pytest.raises(ValueError, match="No slice"):
            FITTED(nothing)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 5)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="slices, 5"):
        VolumeRule()(np.zeros(shape))


def simulated(rule, n, seed=0):
    """Volumes of 8 slices, and scores drawn from what the rule gives them."""
    rng = np.random.default_rng(seed)
    volumes, scores = [], []
    for _ in range(n):
        level = rng.uniform(1, 5)
        slices = np.clip(rng.normal(level, 0.7, size=8), 1, 5)
        low = np.minimum(np.floor(slices), 4).astype(int)
        p = np.zeros((8, 5))
        p[np.arange(8), low - 1], p[np.arange(8), low] = low + 1 - slices, slices - low
        volumes.append(p)
        scores.append(rng.choice(5, p=rule(p)))
    return volumes, np.eye(5, dtype=bool)[scores]


def test_fit_recovers_the_rule_that_made_the_labels():
    truth = VolumeRule(0.25, 6.0, (1.8, 2.4, 3.2, 4.3))
    volumes, levels = simulated(truth, 3000)
    rule = VolumeRule.fit(volumes, levels)
    assert rule.edge_weight == 0.25
    assert rule.slope == pytest.approx(6, rel=0.12)
    assert rule.thresholds == pytest.approx(truth.thresholds, abs=0.08)


def test_fit_beats_the_mean_on_other_volumes():
    truth = VolumeRule(0.0, 8.0, (2.2, 2.9, 3.8, 4.6))
    volumes, levels = simulated(truth, 150)
    others, other_levels = simulated(truth, 400, seed=1)

    def error(rule):
        scores = np.array([median_score(rule(p)) for p in others])
        return np.abs(scores - 1 - other_levels.argmax(axis=1)).mean()

    assert error(VolumeRule.fit(volumes, levels)) < 0.8 * error(VolumeRule())


def test_a_volume_that_counts_twice_is_as_two():
    volumes, levels = simulated(VolumeRule(1.0, 6.0, (1.8, 2.4, 3.2, 4.3)), 60)
    twice = np.where(levels[:, 0], 2.0, 1.0)
    many = [v for v, n in zip(volumes, twice, strict=True) for _ in range(int(n))]
    rule = VolumeRule.fit(volumes, levels, twice)
    repeated = VolumeRule.fit(many, np.repeat(levels, twice.astype(int), axis=0))
    assert rule.thresholds == pytest.approx(repeated.thresholds, abs=0.05)
    assert rule.thresholds[0] > VolumeRule.fit(volumes, levels).thresholds[0]


def test_fit_from_grades_alone():
    volumes, levels = simulated(VolumeRule(1.0, 6.0, (1.5, 2.2, 3.3, 4.5)), 1500)
    grades = levels.copy()
    grades[:, :2] = levels[:, :2].any(axis=1, keepdims=True)
    grades[:, 3:] = levels[:, 3:].any(axis=1, keepdims=True)
    rule = VolumeRule.fit(volumes, grades)
    assert rule.thresholds[1:3] == pytest.approx((2.2, 3.3), abs=0.12)
    assert rule.slope == pytest.approx(6, rel=0.2)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_labels_stay_near_the_usual_rule(n):
    volumes = [certain(*([score] * 6)) for score in (5, 1, 3, 4, 2)[:n]]
    levels = np.eye(5, dtype=bool)[[4, 0, 2, 3, 1][:n]]
    rule = VolumeRule.fit(volumes, levels)
    assert rule.edge_weight == 1
    assert rule.thresholds == pytest.approx((1.5, 2.5, 3.5, 4.5), abs=0.5)
    assert 1 < rule.slope < 20
    assert VolumeRule.fit([], np.zeros((0, 5))) == VolumeRule()


def test_fit_refuses_missing_labels():
    with pytest.raises(ValueError, match="as many labels"):
        VolumeRule.fit([certain(1)], np.ones((2, 5), bool))


@pytest.mark.parametrize("rule", [VolumeRule(), VolumeRule(0.25), FITTED])
def test_card_round_trip(rule):
    assert VolumeRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


@pytest.mark.parametrize(
    "content",
    [
        None,
        [1],
        {"edge_weight": -0.1},
        {"edge_weight": float("nan")},
        {"edge_weight": "1"},
        {"edge_weight": True},
        {"slope": 3.0},
        {"thresholds": [1, 2, 3, 4]},
        {"slope": 0, "thresholds": [1, 2, 3, 4]},
        {"slope": 3.0, "thresholds": [1, 2, 4, 3]},
        {"slope": 3.0, "thresholds": [1, 2, 3]},
        {"slope": 3.0, "thresholds": [1, 2, 3, "4"]},
        {"slope": 3.0, "thresholds": 2},
        {"code": "import os"},
    ],
)
def test_damaged_cards_are_refused(content):
    with pytest.raises(ValueError, match="volume rule"):
        VolumeRule.from_dict(content)
