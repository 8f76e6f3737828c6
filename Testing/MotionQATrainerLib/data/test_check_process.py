"""The check as other processes hear it: JSON lines, a sentence where it cannot be done."""

from __future__ import annotations

import json

from MotionQATrainerLib.data import check_process


def heard(capsys, *arguments) -> list[dict]:
    check_process.main([str(argument) for argument in arguments])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_it_counts_and_says_how_far_it_is(capsys, rated_set):
    *progress, answer = heard(capsys, rated_set.folder, rated_set.grades)
    assert progress[-1] == {"done": 32, "total": 32}
    assert answer["found"]["volumes"] == {"mild": 16, "moderate": 8, "severe": 8}


def test_clean_images_are_counted(capsys, rated_set):
    (answer,) = heard(capsys, rated_set.folder)
    assert answer["clean"]["patients"] == 8


def test_bad_input_is_a_sentence(capsys, rated_set, tmp_path):
    (answer,) = heard(capsys, rated_set.folder, tmp_path / "no.csv")
    assert "no.csv" in answer["problem"]
    (answer,) = heard(capsys, tmp_path / "none", rated_set.grades)
    assert "none" in answer["problem"]
