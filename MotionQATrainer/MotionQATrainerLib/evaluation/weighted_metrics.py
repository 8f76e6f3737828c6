"""The metrics of many resamples at once, for bootstrap intervals.

A resample is a row of weights: how often each image was drawn. Every function takes weights
(b, n) and returns (b,), equal to what scikit-learn or SciPy give for the repeated images, at a
thousandth of the calls. Undefined values are NaN.
"""

from __future__ import annotations

import numpy as np

from MotionQALib.bootstrap import accuracy, confusion, kappa, ratio, subject_weights

__all__ = [
    "accuracy",
    "auc",
    "balanced_accuracy",
    "calibration_error",
    "confusion",
    "kappa",
    "mean",
    "spearman",
    "subject_weights",
]


def balanced_accuracy(matrices: np.ndarray) -> np.ndarray:
    """Mean recall of the classes that the resample holds."""
    of_class = matrices.sum(axis=2)
    recall = np.diagonal(matrices, axis1=1, axis2=2) / np.where(of_class > 0, of_class, 1)
    return ratio(recall.sum(axis=1), (of_class > 0).sum(axis=1))


def auc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve; ties count half."""
    order, starts, _ = _groups(scores)
    weights, positive = weights[:, order], positive[order]
    hits = np.add.reduceat(weights * positive, starts, axis=1)
    misses = np.add.reduceat(weights * ~positive, starts, axis=1)
    below = np.cumsum(misses, axis=1) - 0.5 * misses
    return ratio((hits * below).sum(axis=1), hits.sum(axis=1) * misses.sum(axis=1))


def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return ratio(weights @ values, weights.sum(axis=1))


def spearman(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation."""
    x, y = _ranks(x, weights), _ranks(y, weights)
    total = weights.sum(axis=1, keepdims=True)
    x, y = (rank - (weights * rank).sum(axis=1, keepdims=True) / total for rank in (x, y))
    covariance = (weights * x * y).sum(axis=1)
    return ratio(covariance, np.sqrt((weights * x**2).sum(axis=1) * (weights * y**2).sum(axis=1)))


def calibration_error(
    right: np.ndarray, confidence: np.ndarray, weights: np.ndarray, n_bins: int
) -> np.ndarray:
    """Expected calibration error over bins of equal mass.

    Images are sorted by confidence and cut into ``n_bins`` of as many images each; the error is
    the mean over bins of |share right - mean confidence|, weighted by their images.
    """
    order = np.argsort(confidence, kind="stable")
    weights = weights[:, order]
    gap = right[order] - confidence[order]
    total = weights.sum(axis=1, keepdims=True)
    middle = np.cumsum(weights, axis=1) - 0.5 * weights
    bins = np.minimum((middle * n_bins / total).astype(int), n_bins - 1)
    error = np.zeros(len(weights))
    for number in range(n_bins):
        error += np.abs((weights * (bins == number)) @ gap)
    return error / total[:, 0]


def _groups(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sorting order, where each run of equal values starts, and each image's run."""
    order = np.argsort(values, kind="stable")
    inverse = np.unique(values, return_inverse=True)[1]
    _, starts = np.unique(values[order], return_index=True)
    return order, starts, inverse


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean ranks (b, n) of the repeated images, in the order of ``values``."""
    order, starts, run = _groups(values)
    mass = np.add.reduceat(weights[:, order], starts, axis=1)
    return (np.cumsum(mass, axis=1) - 0.5 * mass)[:, run]
