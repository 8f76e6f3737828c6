"""Statistics of agreement against published values, scikit-learn and their definitions."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from MotionQALib.bootstrap import SubjectDraws, accuracy, kappa, subject_weights
from MotionQALib.reading import agreement_statistics as statistics

# Shrout and Fleiss 1979, table 2: six targets, four judges.
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]

# Gwet's four raters, twelve units, five categories; 0 is missing (irrCAC's cac.raw4raters).
FOUR_RATERS = [
    [1, 1, 0, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [0, 5, 5, 5],
    [0, 0, 1, 1],
    [0, 0, 3, 0],
]

# Altman 1991, two radiologists, 85 xeromammograms: normal, benign, suspected, cancer.
ALTMAN = [[21, 12, 0, 0], [4, 17, 1, 0], [3, 9, 15, 2], [0, 0, 0, 1]]

# Hout, Duncan and Sobel 1987, 91 couples: never, fairly often, very often, almost always.
COUPLES = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]


def matrices(table):
    return np.array([table], dtype=float)


def once(ratings):
    return np.ones((1, len(ratings)))


def test_icc_of_shrout_and_fleiss():
    ratings = np.array(SHROUT_FLEISS)
    assert statistics.icc(ratings, once(ratings)) == pytest.approx([0.29], abs=0.005)


def test_weighted_kappa_as_published():
    assert accuracy(matrices(ALTMAN)) == pytest.approx([0.6353], abs=5e-5)
    assert kappa(matrices(ALTMAN), 1) == pytest.approx([0.5684], abs=5e-5)
    assert kappa(matrices(ALTMAN), 2) == pytest.approx([0.6714], abs=5e-5)
    assert kappa(matrices(COUPLES), 1) == pytest.approx([0.2374], abs=5e-5)


def test_gwets_ac1_with_missing_ratings():
    counts = statistics.counts_of(np.array(FOUR_RATERS) - 1, 5)
    ac1 = statistics.gwet(counts, once(counts), np.eye(5))
    assert ac1 == pytest.approx([0.77544], abs=5e-6)


def test_gwets_ac1_where_kappa_is_misled():
    """Gwet 2008, table 1: 125 patients, near-perfect agreement, one category prevails."""
    ratings = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [118, 5, 2, 0], axis=0)
    ac1 = statistics.gwet(statistics.counts_of(ratings, 2), once(ratings), np.eye(2))
    assert ac1 == pytest.approx([0.9408], abs=5e-5)
    assert statistics.mean_kappa(ratings, once(ratings), 2, 1) == pytest.approx([-0.0234], abs=5e-5)


def ac2_by_definition(ratings, q):
    """Every pair of every item, one by one."""
    credit, shares = [], np.zeros(q)
    for row in ratings:
        given_ratings = [r for r in row if r >= 0]
        for r in given_ratings:
            shares[r] += 1 / len(given_ratings)
        pairs = list(combinations(given_ratings, 2))
        if pairs:
            credit.append(np.mean([1 - ((a - b) / (q - 1)) ** 2 for a, b in pairs]))
    shares /= sum(any(r >= 0 for r in row) for row in ratings)
    total = sum(1 - ((a - b) / (q - 1)) ** 2 for a in range(q) for b in range(q))
    chance = total / (q * (q - 1)) * sum(s * (1 - s) for s in shares)
    return (np.mean(credit) - chance) / (1 - chance)


def test_ac2_follows_its_definition():
    ratings = np.array(FOUR_RATERS) - 1
    counts = statistics.counts_of(ratings, 5)
    found = statistics.gwet(counts, once(counts), statistics.quadratic_weights(5))
    assert found == pytest.approx([ac2_by_definition(ratings, 5)])


RATINGS = arrays(
    np.int64, st.tuples(st.integers(3, 20), st.integers(2, 4)), elements=st.integers(0, 4)
)


@given(RATINGS)
def test_two_raters_are_scikit_learns_kappa(ratings):
    one, other = ratings[:, 0], ratings[:, 1]
    for power, name in ((1, "linear"), (2, "quadratic")):
        found = statistics.mean_kappa(ratings[:, :2], once(ratings), 5, power)[0]
        if np.isnan(found):
            assert len({*one, *other}) == 1
        else:
            expected = cohen_kappa_score(one, other, weights=name, labels=list(range(5)))
            assert found == pytest.approx(expected)


@given(RATINGS, st.integers(0, 2**32 - 1))
def test_a_resample_is_the_repeated_items(ratings, seed):
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(ratings), np.full(len(ratings), 1 / len(ratings)), size=3)
    weighted = statistics.all_statistics(ratings, drawn.astype(float), 5)
    for row, counts in enumerate(drawn):
        repeated = np.repeat(ratings, counts, axis=0)
        plain = statistics.all_statistics(repeated, once(repeated), 5)
        for name in statistics.TITLES:
            assert weighted[name][row] == pytest.approx(plain[name][0], nan_ok=True, abs=1e-9), name


@given(RATINGS, st.integers(0, 2**32 - 1))
def test_draws_of_subjects_are_their_items_weights(ratings, seed):
    subjects = np.arange(len(ratings)) % 4
    ratings = np.where(np.random.default_rng(seed).random(ratings.shape) < 0.2, -1, ratings)
    weights, draws = (
        make(subjects, 5, np.random.default_rng(seed)) for make in (subject_weights, SubjectDraws)
    )
    summed = statistics.all_statistics(ratings, draws, 5)
    for name, values in statistics.all_statistics(ratings, weights, 5).items():
        assert summed[name] == pytest.approx(values, nan_ok=True, abs=1e-9), name


@given(RATINGS)
def test_statistics_know_no_order_of_raters_and_end_at_one(ratings):
    found = statistics.all_statistics(ratings, once(ratings), 5)
    turned = statistics.all_statistics(ratings[:, ::-1], once(ratings), 5)
    for name in statistics.TITLES:
        assert found[name][0] == pytest.approx(turned[name][0], nan_ok=True, abs=1e-9)
        assert np.isnan(found[name][0]) or found[name][0] <= 1 + 1e-9


def test_equal_ratings_agree_wholly():
    ratings = np.repeat(np.arange(5)[:, None], 3, axis=1)
    found = statistics.all_statistics(ratings, once(ratings), 5)
    assert {name: value[0] for name, value in found.items()} == pytest.approx(
        dict.fromkeys(statistics.TITLES, 1.0)
    )


def test_what_is_undefined_is_nan():
    same = np.full((4, 2), 3)
    found = statistics.all_statistics(same, once(same), 5)
    assert found["agreement"][0] == 1 and found["ac2"][0] == 1
    assert np.isnan(found["linear_kappa"][0]) and np.isnan(found["icc"][0])
    nobody = np.array([[1, -1], [-1, 2]])
    found = statistics.all_statistics(nobody, once(nobody), 5)
    assert all(np.isnan(value[0]) for value in found.values())
