"""A study's settings are fixed once, and a damaged file is told from a missing one."""

import json

import pytest

from MotionQALib.reading.reading_errors import ReadingError
from MotionQALib.reading.study import FILE, Study


def test_what_was_chosen_is_found_again(tmp_path):
    made = Study.create(tmp_path / "s", level="slice", order="listed", seed=3, repeats=0.2)
    assert Study.open(tmp_path / "s") == made
    assert made.level == "slice" and len(made.salt) == 16


def test_a_study_is_not_begun_twice(study):
    before = (study.folder / FILE).read_bytes()
    with pytest.raises(ReadingError, match="holds a study already"):
        Study.create(study.folder, level="slice")
    assert (study.folder / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("level", "frame", "level is 'frame'; give volume or slice"),
        ("order", "random", "give listed, shuffled or uncertain"),
        ("seed", 1.5, "seed is 1.5"),
        ("repeats", 0.9, "a share from 0 to 0.5"),
        ("repeats", float("nan"), "a share from 0 to 0.5"),
        ("repeat_distance", 0, "repeat distance is 0"),
        ("blinded", "no", "blinded is 'no'"),
        ("idle_after", 0, "1 to 3600 s"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, setting, value, said):
    with pytest.raises(ReadingError, match=said):
        Study.create(tmp_path / "s", **{setting: value})
    assert not (tmp_path / "s").exists()


def test_bad_study_files_are_told_in_a_sentence(study):
    path = study.folder / FILE
    whole = path.read_text()
    for content, said in [
        (whole[:40], "is damaged or cut short"),
        ("", "is damaged or cut short"),
        ("[]", "is damaged or cut short"),
        (json.dumps({**json.loads(whole), "level": "frame"}), "give volume or slice"),
        (json.dumps({**json.loads(whole), "double_blind": True}), "does not know, double_blind"),
    ]:
        path.write_text(content)
        with pytest.raises(ReadingError, match=said) as refused:
            Study.open(study.folder)
        assert str(path) in str(refused.value)
    path.unlink()
    with pytest.raises(ReadingError, match="holds no study"):
        Study.open(study.folder)


def test_paths_are_kept_from_the_studys_folder(study, tmp_path):
    kept = study.relative(tmp_path / "images" / "a.nii.gz")
    assert kept == "../images/a.nii.gz"
    assert study.absolute(kept) == tmp_path / "images" / "a.nii.gz"
