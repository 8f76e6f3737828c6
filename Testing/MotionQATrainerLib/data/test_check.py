import csv
import json
import shutil

import pytest

from MotionQALib.scale import Grade
from MotionQATrainerLib.cli import main
from MotionQATrainerLib.data.check import check
from MotionQATrainerLib.data.labels import LabelError
from MotionQATrainerLib.data.matching import DataError
from MotionQATrainerLib.data.splits import Split, SplitError


def labels(path, rows, columns=("image", "score")):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def problem(found):
    (one,) = found.problems
    return str(one)


def test_a_sound_set_is_counted(rated_set):
    found = check(rated_set.folder, rated_set.scores)
    assert found.problems == found.missing == found.unlabelled == []
    assert found.volumes == {Grade.MILD: 16, Grade.MODERATE: 8, Grade.SEVERE: 8}
    assert found.slices[Grade.MILD] == 48
    assert found.subjects["P001"] == {Grade.MILD: 2, Grade.MODERATE: 1, Grade.SEVERE: 1}
    assert "| P001 | 2 | 1 | 1 |" in found.table()
    found.refuse()


def test_missing_unlabelled_and_unreadable_files_are_named(rated_set, tmp_path):
    data = shutil.copytree(rated_set.folder, tmp_path / "data")
    (data / "P001-1" / "P001-1-ED.nii.gz").write_bytes(b"not an image")
    (data / "P002-1" / "P002-1-ED.nii.gz").unlink()
    shutil.copy(data / "P003-1" / "P003-1-ED.nii.gz", data / "extra.nii.gz")
    found = check(data, rated_set.scores)
    assert found.missing == ["P002-1-ED"]
    assert found.unlabelled == [str(data / "extra.nii.gz")]
    assert list(found.unreadable) == [str(data / "P001-1" / "P001-1-ED.nii.gz")]
    assert len(found.remarks) == 3
    assert sum(found.volumes.values()) == 30
    quick = check(data, rated_set.scores, read=False)
    assert quick.unreadable == {}


def test_one_subject_and_one_class_are_refused(rated_set, tmp_path):
    alone = labels(tmp_path / "a.csv", [["P001-1-ED", 5], ["P001-2-ED", 3]])
    assert "one subject, P001" in problem(check(rated_set.folder, alone, read=False))
    same = labels(tmp_path / "b.csv", [["P001-1-ED", 5], ["P002-1-ED", 5]])
    found = check(rated_set.folder, same, read=False)
    assert "the same (mild)" in problem(found)
    with pytest.raises(DataError, match="nothing to tell apart"):
        found.refuse()


def test_a_score_off_the_scale_is_refused(rated_set, tmp_path):
    with pytest.raises(LabelError, match="line 2: the score is '6'"):
        check(rated_set.folder, labels(tmp_path / "a.csv", [["P001-1-ED", 6]]))


def test_one_person_under_two_names_is_a_leak(rated_set, tmp_path):
    rows = [["P001-1-ED", 5, "P001-1"], ["P001-2-ED", 3, "P001-2"], ["P002-1-ED", 1, "P002"]]
    file = labels(tmp_path / "a.csv", rows, ("image", "score", "subject"))
    assert "one person, P001" in problem(check(rated_set.folder, file, read=False))
    together = Split(["P001-1", "P001-2"], ["P002"])
    assert check(rated_set.folder, file, together, read=False).problems == []
    found = check(rated_set.folder, file, Split(["P001-1"], ["P002"], ["P001-2"]), read=False)
    with pytest.raises(SplitError, match="one person"):
        found.refuse()


def test_one_image_under_two_subjects_is_a_leak(rated_set, tmp_path):
    for name in ("a1", "b1"):
        shutil.copy(rated_set.folder / "P001-1" / "P001-1-ED.nii.gz", tmp_path / f"{name}.nii.gz")
    file = labels(tmp_path / "a.csv", [["a1", 5], ["b1", 3]])
    assert "a1 and b1 are the same image" in problem(check(tmp_path, file, read=False))


def test_a_split_of_others_is_a_problem(rated_set):
    found = check(rated_set.folder, rated_set.scores, Split(["x"], ["y"]), read=False)
    assert "not in this split" in problem(found)


def test_the_command_says_all_and_fails_on_problems(rated_set, tmp_path, capsys):
    line = ["check", "--data", str(rated_set.folder), "--labels"]
    out = tmp_path / "check.json"
    assert main([*line, str(rated_set.scores), "--json", str(out)]) == 0
    assert "| P008 |" in capsys.readouterr().out
    assert json.loads(out.read_text())["volumes"] == {"mild": 16, "moderate": 8, "severe": 8}
    alone = labels(tmp_path / "a.csv", [["P001-1-ED", 5], ["P001-2-ED", 3]])
    assert main([*line, str(alone), "--quick"]) == 1
    assert "Problems (1)" in capsys.readouterr().out
