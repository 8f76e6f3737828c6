"""The metrics of many resamples at once, for bootstrap intervals.

A resample is a row of weights: how often each image was drawn. Every function takes weights
(b, n) and returns (b,), equal to what scikit-learn or SciPy give for the repeated images, at a
thousandth of the calls. Undefined values are NaN.
"""

from __future__ import annotations

import numpy as np


def subject_weights(subjects: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw as many subjects as there are, with replacement: weights (resamples, n) of images."""
    names, index = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    share = np.full(len(names), 1 / len(names))
    return rng.multinomial(len(names), share, size=resamples)[:, index].astype(np.float64)


def confusion(truth: np.ndarray, reported: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    """Confusion matrices (b, n, n) of classes 0 … n - 1: rows are the truth."""
    cells = np.eye(n * n)[truth * n + reported]
    return (weights @ cells).reshape(-1, n, n)


def accuracy(matrices: np.ndarray) -> np.ndarray:
    return _ratio(np.trace(matrices, axis1=1, axis2=2), matrices.sum(axis=(1, 2)))


def kappa(matrices: np.ndarray, power: int) -> np.ndarray:
    """Cohen's kappa with linear (power 1) or quadratic (2) weights."""
    classes = np.arange(matrices.shape[1])
    cost = np.abs(classes[:, None] - classes[None, :]) ** power
    chance = matrices.sum(axis=2)[:, :, None] * matrices.sum(axis=1)[:, None, :]
    observed = (matrices * cost).sum(axis=(1, 2)) * matrices.sum(axis=(1, 2))
    return 1 - _ratio(observed, (chance * cost).sum(axis=(1, 2)))


def balanced_accuracy(matrices: np.ndarray) -> np.ndarray:
    """Mean recall of the classes that the resample holds."""
    of_class = matrices.sum(axis=2)
    recall = np.diagonal(matrices, axis1=1, axis2=2) / np.where(of_class > 0, of_class, 1)
    return _ratio(recall.sum(axis=1), (of_class > 0).sum(axis=1))


def auc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve; ties count half."""
    order, starts, _ = _groups(scores)
    weights, positive = weights[:, order], positive[order]
    hits = np.add.reduceat(weights * positive, starts, axis=1)
    misses = np.add.reduceat(weights * ~positive, starts, axis=1)
    below = np.cumsum(misses, axis=1) - 0.5 * misses
    return _ratio((hits * below).sum(axis=1), hits.sum(axis=1) * misses.sum(axis=1))


def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _ratio(weights @ values, weights.sum(axis=1))


def spearman(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation."""
    x, y = _ranks(x, weights), _ranks(y, weights)
    total = weights.sum(axis=1, keepdims=True)
    x, y = (rank - (weights * rank).sum(axis=1, keepdims=True) / total for rank in (x, y))
    covariance = (weights * x * y).sum(axis=1)
    return _ratio(covariance, np.sqrt((weights * x**2).sum(axis=1) * (weights * y**2).sum(axis=1)))


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


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    defined = denominator > 0
    return np.where(defined, numerator / np.where(defined, denominator, 1), np.nan)


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
