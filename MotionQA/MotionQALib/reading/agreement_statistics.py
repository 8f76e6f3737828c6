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

from ..resampling import confusion, kappa, ratio

TITLES = {
    "agreement": "Agreement, %",
    "linear_kappa": "Linear κ",
    "quadratic_kappa": "Quadratic κ",
    "ac2": "Gwet's AC2",
    "icc": "ICC(2,1)",
}


def all_statistics(ratings: np.ndarray, weights: np.ndarray, q: int) -> dict[str, np.ndarray]:
    """Every statistic of `TITLES`, of two raters or more; agreement as a share, not in per cent.

    Parameters
    ----------
    ratings : (n, raters) int, -1 for none
    weights : (b, n)
    q : categories
    """
    same = np.eye(q)
    return {
        "agreement": _observed(counts_of(ratings, q), weights, same),
        "linear_kappa": mean_kappa(ratings, weights, q, 1),
        "quadratic_kappa": mean_kappa(ratings, weights, q, 2),
        "ac2": gwet(counts_of(ratings, q), weights, quadratic_weights(q)),
        "icc": icc(ratings, weights),
    }


def quadratic_weights(q: int) -> np.ndarray:
    """Credit (q, q) for two ratings: 1 where equal, 0 where they are farthest apart."""
    grid = np.arange(q)
    return 1 - ((grid[:, None] - grid[None, :]) / max(q - 1, 1)) ** 2


def counts_of(ratings: np.ndarray, q: int) -> np.ndarray:
    """(n, q): how many raters put each item into each category."""
    return (ratings[:, :, None] == np.arange(q)).sum(axis=1).astype(np.float64)


def mean_kappa(ratings: np.ndarray, weights: np.ndarray, q: int, power: int) -> np.ndarray:
    """Mean of the pairs' weighted κ: Light's κ; of two raters Cohen's."""
    values = []
    for one, other in combinations(range(ratings.shape[1]), 2):
        both = (ratings[:, one] >= 0) & (ratings[:, other] >= 0)
        if both.any():
            pair = confusion(ratings[both, one], ratings[both, other], weights[:, both], q)
            values.append(kappa(pair, power))
    return np.mean(values, axis=0) if values else np.full(len(weights), np.nan)


def gwet(counts: np.ndarray, weights: np.ndarray, credit: np.ndarray) -> np.ndarray:
    """Gwet's AC2; with the identity as credit, his AC1.

    Parameters
    ----------
    counts : (n, q) of `counts_of`
    credit : (q, q) of `quadratic_weights`, say
    """
    q = len(credit)
    observed = _observed(counts, weights, credit)
    raters = counts.sum(axis=1)
    rated = raters > 0
    share = ratio(weights[:, rated] @ (counts[rated] / raters[rated, None]), _total(weights, rated))
    chance = credit.sum() / (q * (q - 1)) * (share * (1 - share)).sum(axis=1)
    return ratio(observed - chance, 1 - chance)


def icc(ratings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """ICC(2,1): two-way random effects, absolute agreement, single rater."""
    complete = (ratings >= 0).all(axis=1)
    x, weights = ratings[complete].astype(np.float64), weights[:, complete]
    k = x.shape[1]
    if len(x) < 2 or k < 2:
        return np.full(len(weights), np.nan)
    x = x - x.mean()  # the sums of squares lose no digits then
    n = weights.sum(axis=1)
    of_items, squares = x.mean(axis=1), (x**2).sum(axis=1)
    of_raters = ratio(weights @ x, n[:, None])
    grand = of_raters.mean(axis=1)
    between_items = k * (weights @ of_items**2 - n * grand**2)
    between_raters = n * ((of_raters - grand[:, None]) ** 2).sum(axis=1)
    rest = weights @ squares - n * k * grand**2 - between_items - between_raters
    items = ratio(between_items, n - 1)
    raters = between_raters / (k - 1)
    error = ratio(np.maximum(rest, 0), (n - 1) * (k - 1))
    return _proper(items - error, items + (k - 1) * error + ratio(k * (raters - error), n))


def _proper(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where rounding alone makes the denominator, as where nothing varies."""
    return ratio(numerator, np.where(denominator > 1e-12, denominator, 0))


def _observed(counts: np.ndarray, weights: np.ndarray, credit: np.ndarray) -> np.ndarray:
    """Mean over items of the credit that their pairs of ratings have."""
    raters = counts.sum(axis=1)
    paired = raters > 1
    counts, raters = counts[paired], raters[paired]
    earned = (counts * (counts @ credit - 1)).sum(axis=1) / (raters * (raters - 1))
    return ratio(weights[:, paired] @ earned, weights[:, paired].sum(axis=1))


def _total(weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return weights[:, rows].sum(axis=1)[:, None]
