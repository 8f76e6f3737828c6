"""How well raters agree, of many bootstrap resamples at once.

Ratings are whole numbers 0 … q - 1, ordered; -1 stands for none. A resample is a row of weights
(b, n): how often each item was drawn; `np.ones((1, n))` gives the plain values. All functions
return (b,), NaN where undefined.

* Per cent agreement of several raters: the mean over items of the share of pairs that agree
  (Fleiss 1971); items with one rating say nothing.
* Cohen's κ, linear and quadratic weights (Cohen 1968); of several raters the mean over pairs
  (Light 1971).
* Gwet's AC2 with quadratic weights (Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed.,
  ch. 5); a missing rating is left out of its item.
* ICC(2,1) of Shrout and Fleiss (1979): two-way random effects, absolute agreement, one rater;
  only items that all have rated.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..bootstrap import SubjectDraws, kappa, ratio

TITLES = {
    "agreement": "Agreement, %",
    "linear_kappa": "Linear κ",
    "quadratic_kappa": "Quadratic κ",
    "ac2": "Gwet's AC2",
    "icc": "ICC(2,1)",
}


Weights = np.ndarray | SubjectDraws
"""(b, n): how often each item was drawn; used by ``weights @ values`` alone."""


def all_statistics(ratings: np.ndarray, weights: Weights, q: int) -> dict[str, np.ndarray]:
    """Every statistic of `TITLES`, of two raters or more; agreement as a share, not in per cent.

    Parameters
    ----------
    ratings : (n, raters) int, -1 for none
    weights : (b, n)
    q : categories
    """
    counts = counts_of(ratings, q)
    return {
        "agreement": _observed(counts, weights, np.eye(q)),
        "linear_kappa": mean_kappa(ratings, weights, q, 1),
        "quadratic_kappa": mean_kappa(ratings, weights, q, 2),
        "ac2": gwet(counts, weights, quadratic_weights(q)),
        "icc": icc(ratings, weights),
    }


def quadratic_weights(q: int) -> np.ndarray:
    """Credit (q, q) for two ratings: 1 where equal, 0 where they are farthest apart."""
    grid = np.arange(q)
    return 1 - ((grid[:, None] - grid[None, :]) / max(q - 1, 1)) ** 2


def counts_of(ratings: np.ndarray, q: int) -> np.ndarray:
    """(n, q): how many raters put each item into each category."""
    return (ratings[:, :, None] == np.arange(q)).sum(axis=1).astype(np.float64)


def confusion(one: np.ndarray, other: np.ndarray, weights: Weights, q: int) -> np.ndarray:
    """Confusion matrices (b, q, q) of two raters' (n,) ratings where both have rated."""
    both = (one >= 0) & (other >= 0)
    cells = np.eye(q * q)[np.where(both, one * q + other, 0)] * both[:, None]
    return (weights @ cells).reshape(-1, q, q)


def mean_kappa(ratings: np.ndarray, weights: Weights, q: int, power: int) -> np.ndarray:
    """Mean of the pairs' weighted κ: Light's κ; of two raters Cohen's."""
    values = []
    for one, other in combinations(ratings.T, 2):
        if ((one >= 0) & (other >= 0)).any():
            values.append(kappa(confusion(one, other, weights, q), power))
    return np.mean(values, axis=0) if values else np.full(len(weights), np.nan)


def gwet(counts: np.ndarray, weights: Weights, credit: np.ndarray) -> np.ndarray:
    """Gwet's AC2; with the identity as credit, his AC1.

    Parameters
    ----------
    counts : (n, q) of `counts_of`
    credit : (q, q) of `quadratic_weights`, say
    """
    q = len(credit)
    observed = _observed(counts, weights, credit)
    raters = counts.sum(axis=1)
    shares = counts / np.maximum(raters, 1)[:, None]
    share = ratio(weights @ shares, (weights @ (raters > 0).astype(float))[:, None])
    chance = credit.sum() / (q * (q - 1)) * (share * (1 - share)).sum(axis=1)
    return ratio(observed - chance, 1 - chance)


def icc(ratings: np.ndarray, weights: Weights) -> np.ndarray:
    """ICC(2,1): two-way random effects, absolute agreement, single rater."""
    complete = (ratings >= 0).all(axis=1)
    k = ratings.shape[1]
    if complete.sum() < 2 or k < 2:
        return np.full(len(weights), np.nan)
    # Centred, so that the sums of squares lose no digits; what is incomplete adds nothing.
    x = (ratings - ratings[complete].mean()) * complete[:, None]
    n = weights @ complete.astype(float)
    of_raters = ratio(weights @ x, n[:, None])
    grand = of_raters.mean(axis=1)
    between_items = k * (weights @ x.mean(axis=1) ** 2 - n * grand**2)
    between_raters = n * ((of_raters - grand[:, None]) ** 2).sum(axis=1)
    total = weights @ (x**2).sum(axis=1) - n * k * grand**2
    items = ratio(between_items, n - 1)
    raters = between_raters / (k - 1)
    rest = np.maximum(total - between_items - between_raters, 0)
    error = ratio(rest, (n - 1) * (k - 1))
    variance = items + (k - 1) * error + ratio(k * (raters - error), n)
    # Where nothing varies, rounding alone makes the variance.
    return ratio(items - error, np.where(variance > 1e-12, variance, 0))


def _observed(counts: np.ndarray, weights: Weights, credit: np.ndarray) -> np.ndarray:
    """Mean over items of the credit that their pairs of ratings have."""
    raters = counts.sum(axis=1)
    pairs = raters * (raters - 1)
    earned = (counts * (counts @ credit - 1)).sum(axis=1) / np.where(pairs > 0, pairs, 1)
    paired = (pairs > 0).astype(float)
    return ratio(weights @ (earned * paired), weights @ paired)
