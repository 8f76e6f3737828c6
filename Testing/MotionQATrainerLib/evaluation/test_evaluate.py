import json
import shutil

import pytest

from MotionQALib import checkpoints
from MotionQATrainerLib.data.matching import DataError
from MotionQATrainerLib.data.splits import Split, split_file
from MotionQATrainerLib.evaluation.baselines import ImageQualityForest
from MotionQATrainerLib.evaluation.evaluate import choose, evaluate
from MotionQATrainerLib.evaluation.findings import NETWORK, Evaluation, update_card
from MotionQATrainerLib.evaluation.metrics import Interval
from MotionQATrainerLib.simulation.phantom import Phantom

SPLIT = Split(["P001", "P002", "P003", "P004"], ["P005"], ["P006", "P007", "P008"])


@pytest.fixture
def checkpoint(checkpoint_file, tmp_path):
    path = tmp_path / "network.safetensors"
    shutil.copy(checkpoint_file, path)
    SPLIT.save(split_file(path))
    return path


def test_whom_to_grade():
    present = {"P001", "P006", "P007"}
    assert choose(present, SPLIT, "test") == ({"P006", "P007"}, [])
    assert choose(present, SPLIT, "all")[0] == present
    assert choose(present, SPLIT, "test", ["P001"])[0] == {"P001"}
    everyone, said = choose({"x", "y"}, SPLIT, "test")
    assert everyone == {"x", "y"}
    assert "None of the subjects is in the split" in said[0]
    everyone, said = choose(present, None, "test")
    assert everyone == present
    assert "No split" in said[0]
    with pytest.raises(DataError, match="None of the subjects asked for"):
        choose({"P001"}, SPLIT, "test")


def test_the_test_subjects_are_graded_beside_a_baseline(checkpoint, rated_set, tmp_path):
    clean = tmp_path / "clean"
    clean.mkdir()
    Phantom(seed=1, n_slices=3, shape=(64, 72), spacing=(10.0, 4.0, 4.0)).save(clean / "a.nii.gz")
    found = evaluate(
        checkpoint, rated_set.folder, rated_set.scores, device="cpu", clean=clean, sweep=True,
        baselines=[ImageQualityForest()], cache=tmp_path / "cache",
    )  # fmt: skip
    assert found.subjects == ["P006", "P007", "P008"]
    assert (found.n_volumes, found.n_slices) == (12, 36)
    assert list(found.volumes) == list(found.slices) == [NETWORK, ImageQualityForest.title]
    # The set is graded by its noise, which image-quality measures see and random weights do not.
    assert found.slices[ImageQualityForest.title]["accuracy"].value > 0.7
    assert 0 <= found.clean.value <= 1
    assert -1 <= found.sweep.value <= 1
    text = found.table()
    assert text.index("Accuracy") < text.index("Linear-weighted") < text.index("Quadratic")
    assert "Untouched volumes graded mild" in text
    found.save(tmp_path / "found.json")
    content = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert content["volumes"][NETWORK]["accuracy"][0] == found.volumes[NETWORK]["accuracy"].value
    update_card(checkpoint, found)
    card = checkpoints.load(checkpoint)[0]
    assert card.metrics["volume_accuracy"] == found.volumes[NETWORK]["accuracy"].to_list()
    assert card.metrics["clean_mild"] == found.clean.to_list()
    assert card.training["tested_on"]["subjects"] == 3
    assert ImageQualityForest.title in card.training["baselines"]["slices"]


def test_who_looks_like_one_of_the_trained_is_said():
    chosen, said = choose({"p001", "x"}, SPLIT, "test")
    assert chosen == {"p001", "x"}
    assert "p001 looks like P001" in said[1]
    assert choose({"P006", "p006"}, SPLIT, "test")[1] == []


def test_grades_alone_give_volumes_alone(checkpoint, rated_set):
    found = evaluate(
        checkpoint, rated_set.folder, rated_set.grades, device="cpu", baselines=(), part="all"
    )
    assert found.n_volumes == 32
    assert found.slices == {}
    assert found.volumes[NETWORK]["score_mae"].value != found.volumes[NETWORK]["score_mae"].value


def test_without_training_subjects_there_is_no_baseline(checkpoint, rated_set):
    split_file(checkpoint).unlink()
    found = evaluate(checkpoint, rated_set.folder, rated_set.scores, device="cpu",
                     baselines=[ImageQualityForest()])  # fmt: skip
    assert list(found.volumes) == [NETWORK]
    assert len(found.subjects) == 8
    assert any("No baselines" in remark for remark in found.remarks)
    assert any("No split" in remark for remark in found.remarks)


def test_the_card_holds_intervals_and_none_for_undefined():
    found = Evaluation("x", ["a"], volumes={NETWORK: {"severe_auc": Interval(float("nan"))}},
                       clean=Interval(0.9, 0.8, 1.0))  # fmt: skip
    assert found.card_metrics() == {
        "volume_severe_auc": [None, None, None],
        "clean_mild": [0.9, 0.8, 1.0],
    }


def test_untouched_volumes_are_looked_for_before_anything_is_graded(
    checkpoint, rated_set, tmp_path
):
    def graded(event):
        raise AssertionError("graded before the folder was looked at")

    trained = rated_set.folder / "P001-1"
    for folder, said in ((tmp_path / "gone", "no such folder"), (trained, "of the part test")):
        with pytest.raises(ValueError, match=said):
            evaluate(checkpoint, rated_set.folder, rated_set.scores, clean=folder, progress=graded)
