import json
import time
import warnings

import numpy as np
import pytest

from MotionQATrainerLib.data.labels import levels_of_grade, levels_of_score
from MotionQATrainerLib.evaluation.metrics import TITLES, Interval, evaluate, table


def certain(scores, sure=1.0):
    p = np.full((len(scores), 5), (1 - sure) / 4)
    p[np.arange(len(scores)), np.asarray(scores) - 1] = sure
    return p


def scored(scores):
    return np.array([levels_of_score(score) for score in scores])


def noisy(n, seed=0, error=0.8):
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, n)
    centre = truth + rng.normal(0, error, n)
    p = np.exp(-((centre[:, None] - np.arange(1, 6)) ** 2))
    return scored(truth), p / p.sum(axis=1, keepdims=True)


def values(*arguments, **options):
    return {k: v.value for k, v in evaluate(*arguments, resamples=0, **options).items()}


# Rows: truth mild, moderate, severe; columns: what was reported.
WORKED = np.array([[20, 5, 0], [10, 10, 5], [1, 4, 15]])


def worked():
    cells = [(t, r) for t in range(3) for r in range(3) for _ in range(WORKED[t, r])]
    score = (5, 3, 1)
    levels = np.array([levels_of_grade(t + 1) for t, _ in cells])
    return levels, certain([score[r] for _, r in cells]), [f"s{i}" for i in range(len(cells))]


def test_worked_table():
    found = values(*worked())
    n, rows, columns = 70, WORKED.sum(axis=1), WORKED.sum(axis=0)
    chance = np.outer(rows, columns) / n
    linear = np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]])
    assert found["accuracy"] == pytest.approx(45 / 70)
    assert found["linear_kappa"] == pytest.approx(1 - 26 / (linear * chance).sum())
    assert found["quadratic_kappa"] == pytest.approx(1 - 28 / (linear**2 * chance).sum())
    assert found["balanced_accuracy"] == pytest.approx((20 / 25 + 10 / 25 + 15 / 20) / 3)
    # All were sure of their grade, and 45 of 70 right.
    assert found["grade_ece"] == pytest.approx(25 / 70)
    # 15 of 20 severe called so, 5 of 50 others: sensitivity .75, specificity .9, one threshold.
    assert found["severe_auc"] == pytest.approx((0.75 + 0.9) / 2)
    assert np.isnan(found["score_mae"])  # only grades are known
    assert 0.5 < found["spearman"] < 1


def test_the_challenge_s_figures_come_first():
    names = list(evaluate(*worked(), resamples=10))
    assert names[:2] == ["accuracy", "linear_kappa"]
    assert names == list(TITLES)


def test_scores():
    found = values(scored([5, 4, 3, 2, 1]), certain([5, 5, 3, 4, 1]), list("abcde"))
    assert found["score_mae"] == pytest.approx((0 + 1 + 0 + 2 + 0) / 5)
    assert found["accuracy"] == pytest.approx(4 / 5)
    perfect = values(scored([5, 4, 3, 2, 1]), certain([5, 4, 3, 2, 1]), list("abcde"))
    assert perfect.pop("score_mae") == perfect.pop("grade_ece") == 0
    assert list(perfect.values()) == pytest.approx([1] * 6)


def test_the_median_decides():
    # The likeliest score is 5, the likeliest grade mild; the median is 3.
    p = np.array([[0.2, 0.2, 0.15, 0.0, 0.45], [1, 0, 0, 0, 0]])
    assert values(scored([3, 1]), p, ["a", "b"])["accuracy"] == 1


def test_calibration_error_worked_by_hand():
    # Ten confidences, one a bin: .8 and right, or .6 and wrong.
    levels = scored([5] * 10)
    p = np.array([[0, 0, 0.2, 0.4, 0.4]] * 7 + [[0.6, 0, 0, 0.4, 0]] * 3)
    found = values(levels, p, [str(i) for i in range(10)])
    assert found["grade_ece"] == pytest.approx(0.7 * 0.2 + 0.3 * 0.6)


def test_calibrated_results_have_a_small_error():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(5, 0.5), size=20000)
    scores = 1 + (p.cumsum(axis=1) < rng.uniform(size=(20000, 1))).sum(axis=1)
    levels = np.eye(5, dtype=bool)[np.minimum(scores, 5) - 1]
    subjects = np.arange(20000)
    assert values(levels, p, subjects)["grade_ece"] < 0.015
    sharper = p**2 / (p**2).sum(axis=1, keepdims=True)
    assert values(levels, sharper, subjects)["grade_ece"] > 0.05


def test_intervals_hold_the_value_and_follow_the_seed():
    levels, p = noisy(120)
    subjects = np.arange(120) // 4
    first, again, other = (evaluate(levels, p, subjects, seed=s) for s in (0, 0, 1))
    assert first == again and first != other
    for name, interval in first.items():
        assert interval.low < interval.high, name
        assert name == "grade_ece" or interval.low < interval.value < interval.high, name


def test_subjects_are_drawn_not_images():
    # Eight copies of each subject's image tell nothing new: the interval must not shrink.
    levels, p = noisy(40)
    alone = evaluate(levels, p, np.arange(40))
    copies = evaluate(np.repeat(levels, 8, 0), np.repeat(p, 8, 0), np.repeat(np.arange(40), 8))
    deceived = evaluate(np.repeat(levels, 8, 0), np.repeat(p, 8, 0), np.arange(320))

    def width(results):
        return results["linear_kappa"].high - results["linear_kappa"].low

    assert width(copies) == pytest.approx(width(alone))
    assert width(deceived) < 0.5 * width(copies)


def test_intervals_cover_the_truth():
    # The accuracy of many images is known well; 95 % intervals of 60 should mostly hold it.
    truth = values(*noisy(20000, seed=99), np.arange(20000))["accuracy"]
    hits = 0
    for seed in range(60):
        interval = evaluate(*noisy(60, seed=seed), np.arange(60), resamples=200)["accuracy"]
        hits += interval.low <= truth <= interval.high
    assert 51 <= hits <= 60


@pytest.mark.parametrize("score", [5, 3, 1])
def test_one_class_is_undefined_and_silent(score):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate(scored([score] * 6), certain([score] * 6), list("aabbcc"), resamples=50)
    for name in ("linear_kappa", "quadratic_kappa", "severe_auc", "spearman"):
        assert str(found[name]) == "undefined"
    assert found["accuracy"] == Interval(1, 1, 1)


def test_one_subject_has_no_interval():
    found = evaluate(*noisy(20), ["P001"] * 20)["accuracy"]
    assert np.isfinite(found.value) and np.isnan(found.low) and np.isnan(found.high)
    assert str(found) == f"{found.value:.3f}"


def test_a_thousand_resamples_take_seconds():
    levels, p = noisy(300)
    start = time.perf_counter()
    evaluate(levels, p, np.arange(300) // 4)
    assert time.perf_counter() - start < 10  # about half a second on an idle core


def test_what_cannot_be_evaluated_is_said():
    levels, p = noisy(6)
    with pytest.raises(ValueError, match="shape"):
        evaluate(levels, p[:5], list("abcdef"))
    with pytest.raises(ValueError, match="no images"):
        evaluate(levels[:0], p[:0], [])
    with pytest.raises(ValueError, match="not numbers"):
        evaluate(levels, p * np.nan, list("abcdef"))
    for wrong in ([0, 1, 1, 0, 0], [0, 0, 0, 0, 0]):
        levels[3] = wrong
        with pytest.raises(ValueError, match="Label 3"):
            evaluate(levels, p, list("abcdef"))


def test_tables():
    systems = {
        "Network": {"accuracy": Interval(0.8, 0.7, 0.9), "severe_auc": Interval(float("nan"))},
        "Baseline": {"accuracy": Interval(0.5)},
    }
    markdown = table(systems, "markdown").splitlines()
    assert len(markdown) == 4 and len({line.count("|") for line in markdown}) == 1
    assert "Accuracy" in markdown[2] and "0.800 (0.700 to 0.900)" in markdown[2]
    assert "0.500" in markdown[2] and "undefined" in markdown[3]
    text = table(systems).splitlines()
    assert len(text) == 3 and text[1].index("0.500") == text[0].index("Baseline")
    with pytest.raises(ValueError, match="style"):
        table(systems, "html")


def test_intervals_fit_in_a_card():
    assert json.dumps(Interval(0.5).to_list()) == "[0.5, null, null]"
    assert Interval(0.5, 0.25, 1.0).to_list() == [0.5, 0.25, 1.0]
