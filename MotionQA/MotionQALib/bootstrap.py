"""Bootstrap over subjects: agreement of many resamples at once.

A resample is a row of weights: how often each image was drawn. Functions take weights (b, n), or
the confusion matrices (b, q, q) that they give, and return (b,), at a thousandth of the calls that
repeating the images would need. Undefined values are NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval; NaN where undefined, such as an AUC without severe images."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "undefined"
        if math.isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def to_list(self) -> list[float | None]:
        """Return [value, low, high] as JSON holds it: None for NaN."""
        return [None if math.isnan(v) else v for v in (self.value, self.low, self.high)]


def subject_weights(subjects: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw as many subjects as there are, with replacement: weights (resamples, n) of images."""
    names, index = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    share = np.full(len(names), 1 / len(names))
    return rng.multinomial(len(names), share, size=resamples)[:, index].astype(np.float64)


class SubjectDraws:
    """Resamples of subjects as weights that take the place of an array (b, n): ``draws @ values``.

    What images give is first summed by subject, so that thousands of slices cost no more than
    their few subjects.

    Parameters
    ----------
    subjects : (n,) names, one an image
    """

    def __init__(self, subjects: np.ndarray, resamples: int, rng: np.random.Generator) -> None:
        names, index = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
        self._order = np.argsort(index, kind="stable")
        self._starts = np.searchsorted(index[self._order], np.arange(len(names)))
        share = np.full(len(names), 1 / len(names))
        self._counts = rng.multinomial(len(names), share, size=resamples).astype(np.float64)

    def __len__(self) -> int:
        return len(self._counts)

    def __matmul__(self, values: np.ndarray) -> np.ndarray:
        """Weighted sums (b, …) of (n, …) values."""
        of_subjects = np.add.reduceat(np.asarray(values)[self._order], self._starts, axis=0)
        return self._counts @ of_subjects


def confusion(truth: np.ndarray, reported: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    """Confusion matrices (b, n, n) of classes 0 … n - 1: rows are the truth."""
    cells = np.eye(n * n)[truth * n + reported]
    return (weights @ cells).reshape(-1, n, n)


def accuracy(matrices: np.ndarray) -> np.ndarray:
    return ratio(np.trace(matrices, axis1=1, axis2=2), matrices.sum(axis=(1, 2)))


def kappa(matrices: np.ndarray, power: int) -> np.ndarray:
    """Cohen's kappa with linear (power 1) or quadratic (2) weights."""
    classes = np.arange(matrices.shape[1])
    cost = np.abs(classes[:, None] - classes[None, :]) ** power
    chance = matrices.sum(axis=2)[:, :, None] * matrices.sum(axis=1)[:, None, :]
    observed = (matrices * cost).sum(axis=(1, 2)) * matrices.sum(axis=(1, 2))
    return 1 - ratio(observed, (chance * cost).sum(axis=(1, 2)))


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient where the denominator is positive, else NaN."""
    defined = denominator > 0
    return np.where(defined, numerator / np.where(defined, denominator, 1), np.nan)


def limits(values: np.ndarray) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the defined ones of (b,) values; NaN without any."""
    values = values[~np.isnan(values)]
    if not len(values):
        return math.nan, math.nan
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
