import numpy as np
import pytest

from MotionQALib.scale import (
    GRADE_OF_SCORE,
    Grade,
    expected_score,
    grade_of,
    grade_probabilities,
    median_score,
)


def test_grades_are_those_of_the_challenge():
    assert [grade_of(score).label for score in (5, 4, 3, 2, 1)] == [
        "mild", "mild", "moderate", "severe", "severe",
    ]  # fmt: skip
    assert [int(grade) for grade in Grade] == [1, 2, 3]
    assert Grade.SEVERE.scores == (1, 2)
    assert GRADE_OF_SCORE.tolist() == [3, 3, 2, 1, 1]


@pytest.mark.parametrize("score", [0, 6, 2.5, "3", None])
def test_anything_off_the_scale_is_refused(score):
    with pytest.raises(ValueError, match="1, 2, 3, 4, 5"):
        grade_of(score)


def test_probabilities_become_scores_and_grades():
    p = np.array([[0.1, 0.2, 0.3, 0.25, 0.15], [0, 0, 0, 0, 1.0]])
    assert expected_score(p) == pytest.approx([3.15, 5])
    assert median_score(p).tolist() == [3, 5]
    assert grade_probabilities(p) == pytest.approx(np.array([[0.4, 0.3, 0.3], [1, 0, 0]]))


def test_a_grade_with_most_of_the_mass_is_the_reported_one():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5) * 0.4, size=2000)
    grades = GRADE_OF_SCORE[median_score(p) - 1]
    by_grade = grade_probabilities(p)
    sure = by_grade.max(axis=1) > 0.5
    assert sure.sum() > 500
    assert (grades[sure] == by_grade[sure].argmax(axis=1) + 1).all()
