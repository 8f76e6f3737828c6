"""What grading gives, as numbers, rows and JSON."""

import json

import numpy as np
import pytest

from MotionQALib.results import Assessment, Row
from MotionQALib.scale import Grade

COLUMNS = "volume,frame,slice,score,expected_score,grade,p1,p2,p3,p4,p5,uncertain"


def test_columns_are_those_promised():
    assert ",".join(Row._fields) == COLUMNS


def test_rows_come_in_order_and_the_volume_last(assessment):
    rows = list(assessment.rows())
    assert [(row.frame, row.slice) for row in rows] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (None, None),
    ]  # fmt: skip
    assert rows[-1].score == assessment.volume_score
    assert rows[-1].grade == assessment.volume_grade.label
    for row, p in zip(rows, assessment.probabilities.reshape(-1, 5), strict=False):
        np.testing.assert_allclose(row[6:11], p)
        assert row.expected_score == pytest.approx(p @ np.arange(1, 6))
        assert row.grade == ("severe", "severe", "moderate", "mild", "mild")[row.score - 1]


def test_json_gives_back_the_same_numbers(assessment):
    again = Assessment.from_dict(json.loads(json.dumps(assessment.to_dict())))
    assert list(again.rows()) == list(assessment.rows())
    assert again.remarks == assessment.remarks
    np.testing.assert_array_equal(again.uncertain, assessment.uncertain)


def test_json_of_a_later_version_is_read(assessment):
    again = Assessment.from_dict({**assessment.to_dict(), "invented_later": 1})
    assert again.volume == "heart"


def test_misshapen_json_is_refused(assessment):
    content = assessment.to_dict()
    content["probabilities"] = content["probabilities"][:1]
    with pytest.raises(ValueError, match="probabilities"):
        Assessment.from_dict(content)
    del content["volume"]
    with pytest.raises(TypeError, match="volume"):
        Assessment.from_dict(content)


def test_slices_count_by_their_worst_frame():
    probabilities = np.eye(5)[np.array([[5, 3, 4], [4, 1, 4]]) - 1]
    result = Assessment.from_dict(
        {
            "volume": "cine", "source": None, "identity": None, "checkpoint": "", "notice": "",
            "probabilities": probabilities, "volume_probabilities": probabilities.mean((0, 1)),
            "uncertain": np.zeros((2, 3)), "volume_uncertain": False, "device": "cpu",
            "precision": "fp32", "seconds": 0.0,
        }
    )  # fmt: skip
    assert result.worst_frames.tolist() == [1, 1, 0]
    assert result.slices_from_worst == [1, 0, 2]
    assert result.slices_graded(Grade.SEVERE) == [1]
    assert result.slices_graded(Grade.MODERATE) == []
    assert result.slices_graded(Grade.MILD) == [0, 2]
