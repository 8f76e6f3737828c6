"""How good the grades are: the challenge's own figures first, each with a 95 % interval.

Everything follows MotionQA's decision rule: the reported score is the median of the five
probabilities, and the grade is that score's (``MotionQALib.scale``). The values are
scikit-learn's and SciPy's; the intervals are the 2.5th and 97.5th percentile of a bootstrap that
draws subjects, not images, because the images of one subject resemble each other. A resample
repeats images, which makes a calibration error look larger: its interval errs upwards.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from MotionQALib.bootstrap import Interval, limits
from MotionQALib.scale import (
    GRADE_OF_SCORE,
    SCORES,
    Grade,
    expected_score,
    grade_probabilities,
    median_score,
)

from . import weighted_metrics

N_BINS = 10
CHUNK = 2_000_000  # weights held at once, 16 MB

TITLES = {
    "accuracy": "Accuracy, 3 grades",
    "linear_kappa": "Linear-weighted κ, 3 grades",
    "quadratic_kappa": "Quadratic-weighted κ, 3 grades",
    "balanced_accuracy": "Balanced accuracy, 3 grades",
    "severe_auc": "AUC, severe against the rest",
    "score_mae": "Mean absolute error, scores 1–5",
    "spearman": "Spearman, expected score",
    "grade_ece": f"Calibration error of the grade, {N_BINS} bins of equal mass",
}


@dataclass(frozen=True, eq=False)
class _Results:
    """Labels and results of n images, and what the metrics need of them."""

    levels: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def truth(self) -> np.ndarray:
        """True grades, 0 mild … 2 severe."""
        return GRADE_OF_SCORE[self.levels.argmax(axis=1)] - Grade.MILD

    @cached_property
    def score(self) -> np.ndarray:
        return median_score(self.probabilities)

    @cached_property
    def reported(self) -> np.ndarray:
        return GRADE_OF_SCORE[self.score - 1] - Grade.MILD

    @cached_property
    def severe(self) -> np.ndarray:
        return self.truth == Grade.SEVERE - Grade.MILD

    @cached_property
    def severe_probability(self) -> np.ndarray:
        return grade_probabilities(self.probabilities)[:, Grade.SEVERE - Grade.MILD]

    @cached_property
    def confidence(self) -> np.ndarray:
        grades = grade_probabilities(self.probabilities)
        return np.take_along_axis(grades, self.reported[:, None], axis=1)[:, 0]

    @cached_property
    def expected(self) -> np.ndarray:
        return expected_score(self.probabilities)

    @cached_property
    def middle(self) -> np.ndarray:
        """Mean of the allowed scores: the score itself, or 4.5, 3 and 1.5 for the grades."""
        return (self.levels @ np.array(SCORES)) / self.levels.sum(axis=1)

    @cached_property
    def scored(self) -> bool:
        """Whether every label is a score: the errors of the scored ones alone would tell of the
        moderate images only, whose grade is one score."""
        return bool((self.levels.sum(axis=1) == 1).all())

    @cached_property
    def error(self) -> np.ndarray:
        """Absolute errors of the scores, NaN unless all are known."""
        return np.abs(self.score - self.middle) if self.scored else np.full(len(self.score), np.nan)


def evaluate(
    levels: np.ndarray,
    probabilities: np.ndarray,
    subjects: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return every metric of ``TITLES``, in that order.

    Parameters
    ----------
    levels : (n, 5) bool, the scores that each image's label allows: one score, or a grade's.
    probabilities : (n, 5) of the scores 1 to 5.
    subjects : n names; whole subjects are drawn for the intervals.
    resamples : of the bootstrap; 0 gives values without intervals, as does a single subject.

    Undefined values are NaN: the scores' error where only grades are known, the AUC where all or
    no images are severe, κ and Spearman where nothing varies.
    """
    results = _checked(levels, probabilities, subjects)
    values = _values(results)
    low = high = dict.fromkeys(values, math.nan)
    if resamples and len(set(map(str, subjects))) > 1:
        low, high = _limits(results, np.asarray(subjects, dtype=str), resamples, seed)
    return {
        name: Interval(value) if math.isnan(value) else Interval(value, low[name], high[name])
        for name, value in values.items()
    }


def table(
    systems: Mapping[str, Mapping[str, Interval]],
    style: str = "text",
    titles: Mapping[str, str] = TITLES,
) -> str:
    """Lay out what ``evaluate`` returned: a line per metric, a column per system.

    Parameters
    ----------
    systems : column title -> metric name -> Interval, such as {"Network": …, "Baseline": …}.
    style : "text" for a terminal, "markdown" for the README and the card.
    """
    if style not in ("text", "markdown"):
        raise ValueError(f"A table's style is text or markdown; got {style!r}.")
    names = list(dict.fromkeys(name for results in systems.values() for name in results))
    lines = [["", *systems]]
    for name in names:
        cells = [str(results[name]) if name in results else "" for results in systems.values()]
        lines.append([titles.get(name, name), *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in lines]
    if style == "text":
        return "\n".join("  ".join(line).rstrip() for line in padded)
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def _checked(levels: np.ndarray, probabilities: np.ndarray, subjects: Sequence[str]) -> _Results:
    levels = np.asarray(levels, dtype=bool)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    shape = (len(subjects), len(SCORES))
    if levels.shape != shape or probabilities.shape != shape:
        raise ValueError(
            f"{len(subjects)} subjects need levels and probabilities of shape {shape}; got "
            f"{levels.shape} and {probabilities.shape}."
        )
    if not len(subjects):
        raise ValueError("There are no images to evaluate.")
    if not np.isfinite(probabilities).all():
        raise ValueError("Some probabilities are not numbers; grade those images again.")
    best = np.where(levels, GRADE_OF_SCORE, 9).min(axis=1)
    worst = np.where(levels, GRADE_OF_SCORE, 0).max(axis=1)
    if (best != worst).any():
        raise ValueError(
            f"Label {np.argmax(best != worst)} (from 0) allows no score or several grades; "
            "evaluation needs each image's grade."
        )
    return _Results(levels, probabilities)


def _values(results: _Results) -> dict[str, float]:
    """The metrics of all images, from the libraries that define them."""
    from scipy.stats import spearmanr
    from sklearn.metrics import (
        accuracy_score,
        balanced_accuracy_score,
        cohen_kappa_score,
        mean_absolute_error,
        roc_auc_score,
    )

    truth, reported = results.truth, results.reported

    def kappa(weights: str) -> float:
        return cohen_kappa_score(truth, reported, weights=weights, labels=[0, 1, 2])

    def mae() -> float:
        return mean_absolute_error(results.middle, results.score) if results.scored else math.nan

    def auc() -> float:
        mixed = 0 < results.severe.sum() < len(truth)
        return roc_auc_score(results.severe, results.severe_probability) if mixed else math.nan

    def rank_correlation() -> float:
        varies = min(np.ptp(results.expected), np.ptp(results.middle)) > 0
        return spearmanr(results.expected, results.middle)[0] if varies else math.nan

    with warnings.catch_warnings():
        # A class that nobody has, or only one: the value says it (NaN), and so does the table.
        warnings.simplefilter("ignore")
        values = {
            "accuracy": accuracy_score(truth, reported),
            "linear_kappa": kappa("linear"),
            "quadratic_kappa": kappa("quadratic"),
            "balanced_accuracy": balanced_accuracy_score(truth, reported),
            "severe_auc": auc(),
            "score_mae": mae(),
            "spearman": rank_correlation(),
            "grade_ece": _calibration_error(results, np.ones((1, len(truth))))[0],
        }
    return {name: float(value) for name, value in values.items()}


def _calibration_error(results: _Results, weights: np.ndarray) -> np.ndarray:
    right = results.truth == results.reported
    return weighted_metrics.calibration_error(right, results.confidence, weights, N_BINS)


def _resampled(results: _Results, weights: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics of b resamples given as weights (b, n): name -> (b,)."""
    matrices = weighted_metrics.confusion(results.truth, results.reported, weights, len(Grade))
    return {
        "accuracy": weighted_metrics.accuracy(matrices),
        "linear_kappa": weighted_metrics.kappa(matrices, 1),
        "quadratic_kappa": weighted_metrics.kappa(matrices, 2),
        "balanced_accuracy": weighted_metrics.balanced_accuracy(matrices),
        "severe_auc": weighted_metrics.auc(results.severe, results.severe_probability, weights),
        "score_mae": weighted_metrics.mean(results.error, weights),
        "spearman": weighted_metrics.spearman(results.expected, results.middle, weights),
        "grade_ece": _calibration_error(results, weights),
    }


def _limits(
    results: _Results, subjects: np.ndarray, resamples: int, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the lower and the upper limits of the metrics' 95 % intervals."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in TITLES}
    step = max(1, CHUNK // len(subjects))
    for start in range(0, resamples, step):
        weights = weighted_metrics.subject_weights(subjects, min(step, resamples - start), rng)
        for name, values in _resampled(results, weights).items():
            drawn[name].append(values)
    low, high = {}, {}
    for name, chunks in drawn.items():
        low[name], high[name] = limits(np.concatenate(chunks))
    return low, high
