import csv

import pytest
import torch

from MotionQALib.devices import DeviceSetup
from MotionQATrainerLib.runs.journal import JournalReader
from MotionQATrainerLib.runs.progress import Stopped
from MotionQATrainerLib.runs.run_state import read_facts
from MotionQATrainerLib.runs.training_error import TrainingError
from MotionQATrainerLib.training import compare as compare_module
from MotionQATrainerLib.training import fit as fit_module
from MotionQATrainerLib.training.compare import ComparedNetwork, compare, table


@pytest.fixture(autouse=True)
def one_way_of_computing(monkeypatch):
    monkeypatch.setattr(
        fit_module, "training_setup", lambda model, device, *_: DeviceSetup(device, "fp32", True)
    )


def test_a_backbone_that_fails_is_a_row_and_the_others_go_on(
    rated_set, small_settings, tmp_path, monkeypatch
):
    create = fit_module.backbones.create

    def without_memory(name, **options):
        if name == "resnet101d":
            raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate …")
        return create(name, **options)

    monkeypatch.setattr(fit_module.backbones, "create", without_memory)
    settings = small_settings.changed({"training.epochs": 1})
    rows = compare(
        rated_set.folder, rated_set.scores, tmp_path, settings,
        backbones=["resnet101d", "resnet", "tf_efficientnet_lite0"],
    )  # fmt: skip
    assert [row.model for row in rows] == ["resnet101d", "resnet", "tf_efficientnet_lite0"]
    assert rows[0].failed.startswith("CUDA out of memory.")
    assert "not one of MotionQA's backbones" in rows[1].failed
    assert 0 <= rows[2].valid_acc <= 1
    assert rows[2].failed == ""
    with (tmp_path / "comparison.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["model"] for row in written] == [row.model for row in rows]
    assert float(written[2]["kappa"]) == rows[2].kappa
    assert (tmp_path / "tf_efficientnet_lite0.safetensors").is_file()


def test_a_comparison_is_stopped_by_a_file_and_not_wiped(rated_set, small_settings, tmp_path):
    net = "tf_efficientnet_lite0"

    def ask(event):
        if event.stage == "train" and event.done == 2:
            (tmp_path / "stop").touch()

    arguments = (rated_set.folder, rated_set.scores, tmp_path, small_settings)
    with pytest.raises(Stopped):
        compare(*arguments, backbones=[net], progress=ask)
    assert not (tmp_path / "stop").exists()
    reader = JournalReader(tmp_path)
    reader.new_lines()
    assert reader.status.state == "stopped"
    with pytest.raises(TrainingError, match="not finished"):
        compare(*arguments, backbones=[net])
    assert read_facts(tmp_path / net / "state.safetensors")["step"] == 2
    (row,) = compare(*arguments, backbones=[net], resume=True)
    assert row.failed == ""


def test_folds_are_averaged(rated_set, small_settings, tmp_path, monkeypatch):
    asked = []

    class Fitted:
        def __init__(self, value):
            self.card = self
            self.training = dict.fromkeys(
                ("train_accuracy", "valid_accuracy", "valid_kappa"), value
            )

    def fit(data, labels, output, settings, *, split, **options):
        asked.append((output.name, split.valid))
        return Fitted(float(len(asked)))

    monkeypatch.setattr(compare_module, "fit", fit)
    rows = compare(
        rated_set.folder, rated_set.scores, tmp_path, small_settings,
        backbones=["resnet101d"], folds=4,
    )  # fmt: skip
    assert [name for name, _ in asked] == [f"resnet101d-fold{k}.safetensors" for k in range(4)]
    assert sorted(subject for _, valid in asked for subject in valid) == [
        f"P{n:03d}" for n in range(1, 9)
    ]
    assert rows == [ComparedNetwork("resnet101d", 2.5, 2.5, 2.5)]


def test_the_table_is_the_studys():
    text = table([ComparedNetwork("a", 0.9, 0.8, 0.7), ComparedNetwork("b", failed="no memory")])
    first, _, one, two = text.splitlines()
    assert first.split() == ["|", "model", "|", "Train_acc", "|", "Valid_acc", "|", "κ", "|", "|"]
    assert "0.900" in one
    assert "failed: no memory" in two
    assert "failed" not in table([ComparedNetwork("a", 0.9, 0.8, 0.7)])
