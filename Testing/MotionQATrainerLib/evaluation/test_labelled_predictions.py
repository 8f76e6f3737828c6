import numpy as np
import pytest

from MotionQALib.assessment import Assessor
from MotionQATrainerLib.data.labels import Label, levels_of_score, read_labels
from MotionQATrainerLib.data.matching import DataError
from MotionQATrainerLib.evaluation.labelled_predictions import grade


@pytest.fixture(scope="module")
def assessor(checkpoint_file):
    return Assessor(checkpoint_file, device="cpu", precision="fp32")


def labels_of(rated_set, image):
    return [label for label in read_labels(rated_set.scores) if label.image == image]


def test_labels_and_results_stand_side_by_side(assessor, rated_set):
    from MotionQALib import volumes

    graded = grade(assessor, rated_set.folder, labels_of(rated_set, "P002-3-ED"))
    assert (len(graded.slices), len(graded.volumes)) == (3, 1)
    assert graded.slices.subjects == ["P002"] * 3
    assert graded.slices.levels == [levels_of_score(3)] * 3
    path = rated_set.folder / "P002-3" / "P002-3-ED.nii.gz"
    expected = assessor.assess(volumes.read(path))
    assert np.allclose(graded.slices.probabilities, expected.probabilities[0], atol=1e-6)
    assert np.allclose(graded.volumes.probabilities[0], expected.volume_probabilities, atol=1e-6)
    assert graded.remarks == []


def test_of_a_cine_a_label_without_frame_means_all(assessor, cine_file):
    from MotionQALib import volumes

    name = cine_file.name.removesuffix(".nii.gz")
    labels = [Label(name, None, 2, levels_of_score(4), "s"),
              Label(name, 1, 2, levels_of_score(4), "s")]  # fmt: skip
    graded = grade(assessor, cine_file.parent, labels)
    expected = assessor.assess(volumes.read(cine_file)).probabilities[:, 2]
    assert np.allclose(graded.slices.probabilities[0], expected.mean(axis=0), atol=1e-6)
    assert np.allclose(graded.slices.probabilities[1], expected[1], atol=1e-6)


def test_what_cannot_be_graded_is_a_remark(assessor, rated_set, tmp_path):
    good = rated_set.folder / "P001-1" / "P001-1-ED.nii.gz"
    (tmp_path / "P001-1-ED.nii.gz").write_bytes(good.read_bytes())
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    labels = [*labels_of(rated_set, "P001-1-ED"),
              Label("P001-1-ED", 0, 9, levels_of_score(5), "P001"),
              Label("bad", None, None, levels_of_score(5), "x")]  # fmt: skip
    graded = grade(assessor, tmp_path, labels)
    assert (len(graded.slices), len(graded.volumes)) == (3, 1)
    assert len(graded.remarks) == 2
    assert "bad.nii.gz" in " ".join(graded.remarks)
    assert "no slice 9" in " ".join(graded.remarks)
    with pytest.raises(DataError):
        grade(assessor, tmp_path, [Label("other", None, None, levels_of_score(5), "x")])
