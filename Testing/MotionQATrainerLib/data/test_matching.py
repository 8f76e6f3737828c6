import pytest

from MotionQATrainerLib.data.labels import Label, levels_of_score
from MotionQATrainerLib.data.matching import DataError, first_few, frames_and_slices, match


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    "name", ["P001-1-ED", "P001-1-ED.nii.gz", "P001-1/P001-1-ED", "P001-1/P001-1-ED.nii.gz"]
)
def test_an_image_is_found_by_name_or_path(tmp_path, name):
    touch(tmp_path, "P001-1/P001-1-ED.nii.gz", "P001-1/P001-1-ED-label.nii.gz")
    paths, remarks = match(tmp_path, [name])
    assert paths == {name: tmp_path / "P001-1" / "P001-1-ED.nii.gz"}
    assert remarks == []


def test_a_name_of_two_files_is_refused_a_path_is_not(tmp_path):
    touch(tmp_path, "a/ED.nii.gz", "b/ED.nii.gz")
    with pytest.raises(DataError, match="2 images named ED"):
        match(tmp_path, ["ED"])
    assert match(tmp_path, ["a/ED"])[0]["a/ED"] == tmp_path / "a" / "ED.nii.gz"


def test_labels_of_other_images_are_refused(tmp_path):
    touch(tmp_path, "x.nii.gz")
    with pytest.raises(DataError, match=r"None of the 1 images.*y.*x\.nii\.gz"):
        match(tmp_path, ["y"])


def label(frame, index):
    return Label("x", frame, index, levels_of_score(3))


def test_a_volumes_label_yields_to_its_slices():
    assert frames_and_slices([label(None, None), label(0, 2)], 1, 5) == ([(0, 2)], 0)
    assert frames_and_slices([label(None, None)], 1, 2) == ([(0, 0), (0, 1)], 0)
    assert frames_and_slices([label(1, None)], 2, 2) == ([(1, 0), (1, 1)], 0)


def test_one_image_under_two_names_is_refused(tmp_path):
    touch(tmp_path, "a/ED.nii.gz")
    with pytest.raises(DataError, match=r"ED and a/ED in x\.csv are the same image.*keep one"):
        match(tmp_path, ["ED", "a/ED"], "x.csv")


def test_of_many_remarks_the_first_are_shown():
    assert first_few(["a", "b", "c", "d"]) == ["a", "b", "c", "d"]
    assert first_few(list("abcdefg")) == ["a", "b", "c", "(and 4 more)"]
