import csv
import json

import pytest

from MotionQALib import checkpoints
from MotionQATrainerLib.cli import main
from MotionQATrainerLib.data.splits import Split, split_file
from MotionQATrainerLib.runs.training_error import TrainingError
from MotionQATrainerLib.training.fine_tune import choose, fine_tune, gentle_settings

STARTER = checkpoints.STARTER


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_the_number_of_labels_decides():
    assert choose(30, 8)[0] == "calibration"
    assert choose(99, 50)[0] == "calibration"
    assert choose(120, 12)[0] == "head"
    assert choose(400, 39)[0] == "head"
    assert choose(400, 40)[0] == "all"
    assert "30 scored volumes of 8 subjects support" in choose(30, 8)[1]
    with pytest.raises(TrainingError, match=r"29 scored volumes.*too few.*at least 30"):
        choose(29, 8)
    what, said = choose(29, 8, "head")
    assert what == "head"
    assert "fewer than the 100" in said


def test_thirty_volumes_calibrate_the_starter(rated_set, cache, tmp_path):
    output = tmp_path / "local.safetensors"
    tuned = fine_tune(STARTER, rated_set.folder, rated_set.scores, output, cache=cache)
    assert tuned.what == "calibration"
    old, before = checkpoints.load(checkpoints.resolve(STARTER))
    card, after = checkpoints.load(output)
    assert all((before.state_dict()[k] == v).all() for k, v in after.state_dict().items())
    assert card.temperature != old.temperature
    adapted = card.training["adapted"]
    assert (adapted["volumes"], adapted["subjects"], adapted["labels"]) == (32, 8, "rated")
    assert adapted["after"]["nll"][0] < adapted["before"]["nll"][0]
    assert card.metrics["volume_accuracy"] == adapted["after"]["accuracy"]
    assert card.motion == "simulated"  # nothing was learned from the scores but how sure to be
    assert "trained on simulated motion" in card.notice
    assert "readers' scores of 32 volumes" in card.notice
    assert "| Before" in tuned.table
    assert tuned.table in (tmp_path / "local" / "before-after.md").read_text(encoding="utf-8")
    assert "--from motionqa-starter" in (tmp_path / "local" / "command.txt").read_text()
    assert "32 scored volumes of 8 subjects support" in (
        tmp_path / "local" / "progress.jsonl"
    ).read_text(encoding="utf-8")  # what was chosen, and why, where Slicer reads it


def test_the_head_learns_what_readers_see(rated_set, cache, tmp_path, capsys):
    output = tmp_path / "local.safetensors"
    line = ["fit", "--from", STARTER, "--what", "head", "--data", str(rated_set.folder),
            "--labels", str(rated_set.scores), "--cache", str(cache),
            "--output", str(output)]  # fmt: skip
    assert main(line) == 0
    said = capsys.readouterr().out
    assert "better than before" in said
    card = checkpoints.read_card(output)
    adapted = card.training["adapted"]
    assert adapted["after"]["accuracy"][0] > adapted["before"]["accuracy"][0] + 0.2
    assert adapted["better"]
    assert card.motion == "rated"


def test_whom_the_start_has_seen_is_remembered(rated_set, cache, tmp_path):
    output = tmp_path / "local.safetensors"
    fine_tune(STARTER, rated_set.folder, rated_set.scores, output, cache=cache)
    old = Split.load(split_file(checkpoints.resolve(STARTER)))
    new = Split.load(split_file(output))
    assert {*old.train, *old.valid} < {*new.train, *new.valid}
    assert not new.test


def test_labels_that_mean_nothing_are_no_gain(rated_set, cache, tmp_path, rng):
    with rated_set.scores.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["slice"]]
    scores = rng.permutation([row["score"] for row in rows])
    labels = tmp_path / "noise.csv"
    with labels.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["image", "score"], *([r["image"], s] for r, s in zip(rows, scores, strict=True))]
        )
    tuned = fine_tune(
        STARTER, rated_set.folder, labels, tmp_path / "a.safetensors", what="head", cache=cache
    )
    adapted = tuned.card.training["adapted"]
    assert adapted["after"]["accuracy"][0] < 0.6, "held-out subjects were not held out"
    assert adapted["better"] is tuned.is_better is False
    assert f"Keep using {STARTER}" in tuned.said[-1]


@pytest.mark.slow
def test_all_of_the_network_is_compared_on_the_test_subjects(rated_set, cache, tmp_path):
    settings = gentle_settings(STARTER).changed({"epochs": 1, "epoch_slices": 16,
                                                 "batch_size": 8, "precision": "fp32"})  # fmt: skip
    output = tmp_path / "all.safetensors"
    events = []
    tuned = fine_tune(STARTER, rated_set.folder, rated_set.scores, output, settings, what="all",
                      cache=cache, progress=events.append)  # fmt: skip
    assert any("| Before" in event.text for event in events)
    lines = (tmp_path / "all" / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    states = [json.loads(line).get("state") for line in lines]
    assert states.count("starting") == states.count("finished") == 1  # one run, table and all
    assert states[-1] == "finished"
    command = (tmp_path / "all" / "command.txt").read_text()
    assert "--from motionqa-starter --what all" in command
    assert "--init" not in command
    assert tuned.card.training["subjects"]["test"] == 2
    assert tuned.card.training["weights"] == "Weights of the checkpoint motionqa-starter."
    assert tuned.card.training["adapted"]["what"] == "all"
    assert checkpoints.read_card(output) == tuned.card


def test_what_cannot_be_adapted_is_refused(rated_set, tmp_path, capsys):
    line = ["fit", "--from", STARTER, "--data", str(rated_set.folder),
            "--output", str(tmp_path / "a.safetensors")]  # fmt: skip
    assert main(line) == 1
    assert "labels are needed" in capsys.readouterr().err
    starter = checkpoints.resolve(STARTER)
    with pytest.raises(TrainingError, match="choose another output"):
        fine_tune(STARTER, rated_set.folder, rated_set.scores, starter)
