"""From the slices' probabilities to the volume's.

Whoever scores a volume weighs its slices: the base, where valves move through the plane, and the
apex, of few pixels, count for less. The rule learns how much less, and how the mean of the
slices' expected scores becomes a score of the volume: five numbers and a weight, few enough for
the few volumes that are ever labelled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .scale import GRADE_OF_SCORE, SCORES, Grade, expected_score, median_score

# What fit() leans towards while labels are few: a volume scored as its slices' mean, rounded,
# and right about three times in four. Standard deviations of the normal priors beside it.
USUAL_SLOPE, LOG_SLOPE_SD = 4.0, 1.0
USUAL_THRESHOLDS, THRESHOLD_SD = (1.5, 2.5, 3.5, 4.5), 0.5
EDGE_WEIGHTS = (1.0, 0.75, 0.5, 0.25, 0.0)

NEARLY_ALL = 0.9
"""Weighted share of mild slices from which on a fitted rule calls the volume mild too: a stack of
all fours has an expected score just below 4, wherever the threshold was fitted."""


@dataclass(frozen=True)
class VolumeRule:
    """Ordinal logistic rule: P(score <= k) = sigmoid(slope * (threshold_k - x)).

    x is the mean of the slices' expected scores, first and last slice weighted by
    ``edge_weight``. Where nearly all slices are mild, so is the volume. Without slope and
    thresholds (not fitted), the volume's probabilities are the weighted mean of its slices'.

    Parameters
    ----------
    edge_weight : weight of the first and the last slice, 0 to 1; the others weigh 1.
    slope : per score, above 0, or None.
    thresholds : four increasing scores, or None.
    """

    edge_weight: float = 1.0
    slope: float | None = None
    thresholds: tuple[float, float, float, float] | None = None

    def __post_init__(self):
        if not _is_number(self.edge_weight) or not 0 <= self.edge_weight <= 1:
            raise ValueError(
                f"The volume rule's edge_weight must be 0 to 1; got {self.edge_weight!r}."
            )
        if (self.slope is None) != (self.thresholds is None):
            raise ValueError("The volume rule's slope and thresholds go together; give both.")
        if self.slope is None:
            return
        if not _is_number(self.slope) or not self.slope > 0:
            raise ValueError(f"The volume rule's slope must be above 0; got {self.slope!r}.")
        thresholds = self.thresholds
        sound = (
            isinstance(thresholds, (tuple, list))
            and len(thresholds) == len(SCORES) - 1
            and all(map(_is_number, thresholds))
            and all(low < high for low, high in pairwise(thresholds))
        )
        if not sound:
            raise ValueError(
                f"The volume rule's thresholds must be four increasing numbers; got {thresholds!r}."
            )
        object.__setattr__(self, "thresholds", tuple(map(float, thresholds)))

    def __call__(self, slice_probabilities: np.ndarray) -> np.ndarray:
        """Return the volume's probabilities, float64 (5,), of its slices', (slices, 5).

        Slices come in the order of the volume. Those with a NaN are left out, and the first and
        last of the others count as the volume's ends; ValueError where none is left.
        """
        probabilities, weights = _weighted(slice_probabilities, self.edge_weight)
        if self.slope is None:
            mean = weights @ probabilities
            return mean / mean.sum()
        x = weights @ expected_score(probabilities)
        mild = GRADE_OF_SCORE[median_score(probabilities) - 1] == Grade.MILD
        if weights @ mild >= NEARLY_ALL - 1e-9:
            x = max(x, self.thresholds[2] + 0.1 / self.slope)  # just mild, and in doubt
        return _ordinal(np.array([x]), self.slope, np.array(self.thresholds))[0]

    @classmethod
    def fit(
        cls,
        slice_probabilities: Sequence[np.ndarray],
        levels: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> VolumeRule:
        """Return the rule that makes volumes' labels likeliest; needs SciPy.

        Parameters
        ----------
        slice_probabilities : one (slices, 5) array a volume; the numbers of slices may differ.
        levels : (n, 5) bool, the scores that each volume's label allows.
        weights : (n,), above 0, how much each volume counts, their mean being taken as 1; or None.

        Slope and thresholds lean towards the usual ones while labels are few. Without any label
        the rule stays the plain mean.
        """
        levels = np.asarray(levels, dtype=bool).reshape(-1, len(SCORES))
        if len(levels) != len(slice_probabilities):
            raise ValueError(
                f"{len(slice_probabilities)} volumes need as many labels; got {len(levels)}."
            )
        if not len(levels):
            return cls()
        counts = np.ones(len(levels)) if weights is None else np.asarray(weights, dtype=np.float64)
        counts = counts / counts.mean()
        best, least = cls(), math.inf
        for edge_weight in EDGE_WEIGHTS:
            x = np.array([_feature(volume, edge_weight) for volume in slice_probabilities])
            cost, slope, thresholds = _most_likely(x, levels, counts)
            # A weight other than 1 is one parameter more, and has to earn it (Akaike).
            cost += edge_weight != 1
            if cost < least:
                best, least = cls(edge_weight, slope, thresholds), cost
        return best

    def to_dict(self) -> dict:
        """Return the rule as JSON holds it."""
        if self.slope is None:
            return {"edge_weight": float(self.edge_weight)}
        return {
            "edge_weight": float(self.edge_weight),
            "slope": float(self.slope),
            "thresholds": list(self.thresholds),
        }

    @classmethod
    def from_dict(cls, content: Mapping) -> VolumeRule:
        """Read what ``to_dict`` wrote; ValueError says what is wrong with it."""
        if not isinstance(content, Mapping):
            raise ValueError("The volume rule must be an object with edge_weight.")
        unknown = sorted(set(content) - {"edge_weight", "slope", "thresholds"})
        if unknown:
            raise ValueError(f"The volume rule has an unknown setting, {unknown[0]}.")
        return cls(**content)


def _is_number(value) -> bool:
    return (
        isinstance(value, (int, float, np.floating))
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _weighted(slice_probabilities: np.ndarray, edge_weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the usable slices' probabilities (m, 5) and their weights (m,), which sum to 1."""
    probabilities = np.asarray(slice_probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(SCORES):
        raise ValueError(f"A volume's slices are a (slices, 5) array; got {probabilities.shape}.")
    usable = np.isfinite(probabilities).all(axis=1)
    if not usable.any():
        raise ValueError("No slice has probabilities to judge its volume by.")
    probabilities = probabilities[usable]
    weights = np.ones(len(probabilities))
    weights[[0, -1]] = edge_weight
    if not weights.any():  # only end slices, which weigh nothing
        weights = np.ones(len(weights))
    return probabilities, weights / weights.sum()


def _feature(slice_probabilities: np.ndarray, edge_weight: float) -> float:
    probabilities, weights = _weighted(slice_probabilities, edge_weight)
    return float(weights @ expected_score(probabilities))


def _ordinal(x: np.ndarray, slope: float, thresholds: np.ndarray) -> np.ndarray:
    """Return (n, 5) probabilities of volumes whose mean expected scores are x (n,)."""
    # sigmoid(z) = (1 + tanh(z / 2)) / 2 overflows for no z.
    below = 0.5 + 0.5 * np.tanh(0.5 * slope * (thresholds[None, :] - x[:, None]))
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


def _most_likely(
    x: np.ndarray, levels: np.ndarray, counts: np.ndarray
) -> tuple[float, float, tuple]:
    """Return the penalised negative log likelihood at its least, and slope and thresholds."""
    from scipy.optimize import minimize

    usual = np.array(USUAL_THRESHOLDS)

    def unpack(parameters):
        # Steps as exponents: thresholds increase whatever the optimiser tries.
        steps = np.exp(parameters[2:])
        return np.exp(parameters[0]), parameters[1] + np.concatenate(([0.0], np.cumsum(steps)))

    def cost(parameters):
        slope, thresholds = unpack(parameters)
        allowed = (_ordinal(x, slope, thresholds) * levels).sum(axis=1)
        prior = ((parameters[0] - math.log(USUAL_SLOPE)) / LOG_SLOPE_SD) ** 2
        prior += (((thresholds - usual) / THRESHOLD_SD) ** 2).sum()
        return 0.5 * prior - counts @ np.log(np.maximum(allowed, 1e-12))

    start = np.array([math.log(USUAL_SLOPE), usual[0], 0.0, 0.0, 0.0])
    bounds = [(math.log(0.1), math.log(100)), (-5, 10)] + [(-5, 2)] * 3
    result = minimize(cost, start, method="L-BFGS-B", bounds=bounds)
    slope, thresholds = unpack(result.x)
    return float(result.fun), float(slope), tuple(map(float, thresholds))
