import numpy as np
import pytest
from PIL import Image

from MotionQALib import volumes
from MotionQATrainerLib.data.export_png import export_png


def test_a_folder_a_score(rated_set, tmp_path):
    written, remarks = export_png(rated_set.folder, rated_set.scores, tmp_path)
    assert (written, remarks) == (96, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3", "4", "5"]
    with Image.open(tmp_path / "5" / "P001-1-ED_2.png") as image:
        grey = np.asarray(image).astype(float)
    volume = volumes.read(rated_set.folder / "P001-1" / "P001-1-ED.nii.gz").voxels[0]
    assert grey.shape == volume.shape[1:]
    expected = 255 * (volume[2] - volume.min()) / np.ptp(volume)
    assert np.abs(grey - expected).max() <= 0.51


def test_a_folder_a_grade_along_another_axis(rated_set, tmp_path):
    written, _ = export_png(rated_set.folder, rated_set.grades, tmp_path, axis=0)
    assert written == 32 * 48  # the files' first axis is the columns
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mild", "moderate", "severe"]
    with Image.open(tmp_path / "mild" / "P001-1-ED_47.png") as image:
        assert sorted(image.size) == [3, 40]


def test_images_of_equal_name_do_not_overwrite_each_other(rated_set, tmp_path):
    source = (rated_set.folder / "P001-1" / "P001-1-ED.nii.gz").read_bytes()
    for folder in ("a", "b"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "x.nii.gz").write_bytes(source)
    labels = tmp_path / "labels.csv"
    labels.write_text("image,score\na/x.nii.gz,5\nb/x.nii.gz,5\n")
    export_png(tmp_path / "in", labels, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out" / "5").iterdir()}
    assert names == {f"{folder}_x_{index}.png" for folder in "ab" for index in range(3)}


def test_nothing_to_write_is_said(rated_set, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.nii.gz").write_bytes(b"no image")
    labels = tmp_path / "labels.csv"
    labels.write_text("image,score\nbad,5\n")
    with pytest.raises(ValueError, match=r"No slice could be written.*bad\.nii\.gz"):
        export_png(folder, labels, tmp_path / "out")
