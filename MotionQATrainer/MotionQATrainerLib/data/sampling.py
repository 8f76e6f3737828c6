"""Which slices make up a batch: every score about equally often, the same at every run.

An epoch's order depends on the seed and the epoch's number alone, so that a run resumed in the
middle of an epoch sees what it would have seen.
"""

from __future__ import annotations

import numpy as np


def balanced_weights(levels: np.ndarray, balance: float) -> np.ndarray:
    """Probability of drawing each slice, (n,), proportional to its score's count ** -balance.

    Parameters
    ----------
    levels : (n, 5) bool, the scores each label allows. A label of several scores counts for each
        in equal parts, and weighs their mean.
    balance : 0 draws the slices as they come, 1 every score equally often; between, tempered, so
        that a handful of slices of a rare score are not shown over and over.
    """
    share = np.asarray(levels, dtype=np.float64)
    share = share / share.sum(axis=1, keepdims=True)
    counts = share.sum(axis=0)
    rarity = np.where(counts > 0, np.maximum(counts, 1.0) ** -balance, 0.0)
    weights = share @ rarity
    return weights / weights.sum()


def epoch_order(weights: np.ndarray, n: int, seed: int, epoch: int) -> np.ndarray:
    """``n`` positions drawn by their weights, shuffled, (n,) int64.

    Each is drawn the whole number of times just below or above its expectation (systematic
    sampling), so an epoch leaves out no more than the weights ask for.
    """
    generator = np.random.default_rng([seed, epoch])
    shuffled = generator.permutation(len(weights))
    edges = np.cumsum(weights[shuffled])
    points = (np.arange(n) + generator.random()) / n * edges[-1]
    drawn = np.minimum(np.searchsorted(edges, points, side="right"), len(weights) - 1)
    return generator.permutation(shuffled[drawn])
