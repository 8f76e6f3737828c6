import pytest

from MotionQALib.assessment_summary import in_words, summary


def test_summary_in_words(assessment_of):
    assert summary(assessment_of(5, 5, 5)) == (
        "Mild motion: score 5 of 5 (excellent). All 3 slices are mild."
    )
    assert summary(assessment_of(2, 1, 2, 3, 2, 5)) == (
        "Severe motion: score 2 of 5 (poor). Severe: slices 0-2, 4; moderate: slice 3."
    )
    assert summary(assessment_of(3, volume_uncertain=True)) == (
        "Moderate motion: score 3 of 5 (adequate). Moderate: slice 0. "
        "The volume's grade is uncertain."
    )


@pytest.mark.parametrize(
    ("slices", "words"),
    [
        ([3], "slice 3"),
        ([0, 1], "slices 0, 1"),
        ([0, 1, 2, 5, 7, 8], "slices 0-2, 5, 7, 8"),
    ],
)
def test_slices_in_words(slices, words):
    assert in_words(slices) == words
