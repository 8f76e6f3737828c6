"""Probabilities that mean what they say, and when a result is called uncertain.

Both are fitted on validation subjects: on those that trained, a network is always too sure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from MotionQALib.scale import (
    GRADE_OF_SCORE,
    Grade,
    grade_probabilities,
    median_score,
    softmax,
    uncertainty,
)

TEMPERATURES = (0.05, 20.0)

# A result whose grade is less likely than all others together is uncertain, whatever the target.
MOST_UNCERTAIN = 0.5
LEAST_CERTAIN_SHARE = 0.1

COST_OF_MISSED, COST_OF_WRONG = 2.0, 0.75
"""What a flag is worth: of a severe result that is missed, and of a certain one that is wrong."""


def fit_temperature(
    logits: np.ndarray, levels: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Return the temperature under which the labels are likeliest (Guo et al., 2017).

    Parameters
    ----------
    logits : (n, 5) on validation subjects.
    levels : (n, 5) bool, the scores that each label allows.
    weights : (n,), one a label, or None.

    The result lies within ``TEMPERATURES`` and leans towards 1, as one label more would make it,
    so that a handful of labels, all of them right, do not ask for boundless certainty.
    """
    from scipy.optimize import minimize_scalar

    logits, levels = np.asarray(logits, dtype=np.float64), np.asarray(levels, dtype=bool)
    if logits.shape != levels.shape or logits.ndim != 2:
        raise ValueError(f"Logits {logits.shape} and levels {levels.shape} must both be (n, 5).")
    if not len(logits):
        raise ValueError("There are no validation labels to fit the temperature on.")
    weights = np.ones(len(logits)) if weights is None else np.asarray(weights, dtype=np.float64)

    def cost(log_temperature: float) -> float:
        allowed = (softmax(logits, math.exp(log_temperature)) * levels).sum(axis=1)
        unlikelihood = -np.log(np.maximum(allowed, np.finfo(np.float64).tiny))
        return float(weights @ unlikelihood + 0.5 * log_temperature**2)

    bounds = tuple(map(math.log, TEMPERATURES))
    # Coarse first: with grades as labels the cost may have more than one valley.
    coarse = np.linspace(*bounds, 25)
    middle = int(np.argmin([cost(value) for value in coarse]))
    low, high = coarse[max(middle - 1, 0)], coarse[min(middle + 1, 24)]
    return math.exp(minimize_scalar(cost, bounds=(low, high), method="bounded").x)


def fit_offsets(logits: np.ndarray, levels: np.ndarray, temperature: float) -> np.ndarray:
    """Numbers (5,) to add to the logits, beside the temperature, so that each score comes out as
    often as it is labelled; they lean towards 0 as 20 labels would make them."""
    from scipy.optimize import minimize

    logits, levels = np.asarray(logits, dtype=np.float64), np.asarray(levels, dtype=bool)

    def cost(offsets: np.ndarray) -> float:
        allowed = (softmax(logits + offsets, temperature) * levels).sum(axis=1)
        return float(-np.log(np.maximum(allowed, 1e-12)).sum() + 10 * (offsets @ offsets))

    found = minimize(cost, np.zeros(logits.shape[1]), method="L-BFGS-B").x
    return found - found.mean()


@dataclass(frozen=True)
class UncertaintyThreshold:
    """Above which uncertainty a result is called uncertain, and what that gave on validation.

    coverage : share of results left certain.
    accuracy : share of those whose grade is right.
    reached : whether that accuracy is the target's.
    """

    uncertain_above: float
    coverage: float
    accuracy: float
    reached: bool

    def __str__(self) -> str:
        if not self.coverage:
            return "None of the validation images is certain."
        sentence = (
            f"{self.coverage:.0%} of the validation images are certain "
            f"(uncertainty up to {self.uncertain_above:.2f}); the grade of {self.accuracy:.0%} "
            "of these is right"
        )
        return sentence + ("." if self.reached else ", less than asked for.")


def fit_uncertain_above(
    probabilities: np.ndarray, levels: np.ndarray, target: float = 0.8
) -> UncertaintyThreshold:
    """Return the threshold that leaves as many results certain as the target accuracy allows.

    The threshold trades coverage for accuracy: the lower it is, the fewer results are called
    certain, and the more of their grades are right. Chosen is the highest, at most 0.5, at which
    at least ``target`` of the certain grades are right and a tenth of all results are certain.
    Where none is, the one with the highest accuracy is taken, and ``reached`` is False.

    Parameters
    ----------
    probabilities : (n, 5), calibrated, on validation subjects.
    levels : (n, 5) bool, the scores that each label allows. A reported grade is right where one
        of its scores is allowed.
    """
    uncertain, _, right = _results(np.asarray(probabilities), np.asarray(levels, dtype=bool))
    order = np.argsort(uncertain, kind="stable")
    uncertain, right = uncertain[order], right[order]
    certain = np.arange(1, len(uncertain) + 1)
    accuracy = np.cumsum(right) / certain
    # Between equal uncertainties no threshold can be drawn.
    following = np.append(uncertain[1:], np.inf)
    allowed = (following > uncertain) & (uncertain <= MOST_UNCERTAIN)
    allowed &= certain >= LEAST_CERTAIN_SHARE * len(uncertain)
    if not allowed.any():
        none = uncertain > MOST_UNCERTAIN
        share = accuracy[~none][-1] if (~none).any() else math.nan
        return UncertaintyThreshold(MOST_UNCERTAIN, float((~none).mean()), float(share), False)
    enough = allowed & (accuracy >= target)
    reached = bool(enough.any())
    if reached:
        last = int(np.flatnonzero(enough)[-1])
    else:
        last = int(np.argmax(np.where(allowed, accuracy, -1)))
    # Half way to the next result, so that rounding does not push one over the threshold.
    threshold = min((uncertain[last] + following[last]) / 2, MOST_UNCERTAIN)
    return UncertaintyThreshold(
        float(threshold), float(certain[last] / len(uncertain)), float(accuracy[last]), reached
    )


@dataclass(frozen=True)
class UncertaintyRule:
    """When a result is called uncertain, and what that gave on validation (`results.is_uncertain`).

    flagged : share of results called uncertain
    missed : share of severe results that are graded otherwise and not called uncertain
    accuracy : share of the certain grades that are right
    """

    uncertain_above: float
    severe_above: float
    flagged: float
    missed: float
    accuracy: float

    def __str__(self) -> str:
        return (
            f"{self.flagged:.0%} are called uncertain; of the severe ones {self.missed:.1%} "
            "are missed without being flagged; "
            f"{self.accuracy:.0%} of the certain grades are right"
        )


def fit_uncertainty_rule(
    probabilities: np.ndarray, levels: np.ndarray, most_missed: float = 0.02, target: float = 0.8
) -> UncertaintyRule:
    """Thresholds that flag few results while hardly a severe one is missed unflagged.

    What is flagged costs 1, a severe one that is missed `COST_OF_MISSED`, and a wrong grade among
    the certain ones, as far as they fall short of the target, `COST_OF_WRONG` times its share.

    Parameters
    ----------
    probabilities : (n, 5), calibrated, on validation subjects
    levels : (n, 5) bool
    most_missed : share of the severe results that may be graded otherwise without a flag
    target : share of the certain grades that should be right
    """
    probabilities, levels = np.asarray(probabilities), np.asarray(levels, dtype=bool)
    uncertain, reported, right = _results(probabilities, levels)
    severe = ~levels[:, GRADE_OF_SCORE != Grade.SEVERE].any(axis=1)
    chance = np.where(
        reported == Grade.SEVERE, 0.0, grade_probabilities(probabilities)[:, Grade.SEVERE - 1]
    )
    best: tuple | None = None
    for severe_above in (1.0, *np.arange(0.45, 0.01, -0.01).round(2)):
        for uncertain_above in np.arange(0.2, MOST_UNCERTAIN + 0.001, 0.01).round(2):
            flagged = (uncertain > uncertain_above) | (chance > severe_above)
            if flagged.mean() > 1 - LEAST_CERTAIN_SHARE:
                continue
            missed = float((severe & (reported != Grade.SEVERE) & ~flagged).sum())
            missed /= max(1, int(severe.sum()))
            accuracy = float(right[~flagged].mean())
            order = (
                flagged.mean()
                + COST_OF_MISSED * max(missed - most_missed, 0)
                + COST_OF_WRONG * max(target - accuracy, 0)
            )
            if best is None or order < best[0]:
                found = (float(uncertain_above), float(severe_above), float(flagged.mean()))
                best = order, UncertaintyRule(*found, missed, accuracy)
    if best is None:
        return UncertaintyRule(
            MOST_UNCERTAIN, 1.0, float((uncertain > MOST_UNCERTAIN).mean()), 0.0, 0.0
        )
    return best[1]


def _results(probabilities: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of each result: its uncertainty, its reported grade, and whether that is right."""
    if not len(probabilities):
        raise ValueError("There are no validation labels to fit the uncertainty on.")
    reported = GRADE_OF_SCORE[median_score(probabilities) - 1]
    right = (levels & (GRADE_OF_SCORE[None, :] == reported[:, None])).any(axis=1)
    return uncertainty(probabilities), reported, right
