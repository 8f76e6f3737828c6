import csv
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from MotionQALib import checkpoints
from MotionQALib.devices import Place
from MotionQATrainerLib import training
from MotionQATrainerLib.augmentation import Augmentation
from MotionQATrainerLib.loop import LOG, STATE
from MotionQATrainerLib.progress import Cancelled
from MotionQATrainerLib.run_state import read_facts
from MotionQATrainerLib.splits import Split, SplitError, split_file
from MotionQATrainerLib.training import TrainingError, fit

SOURCES = [Path(training.__file__).parents[1], Path(checkpoints.__file__).parents[1]]


@pytest.fixture(autouse=True)
def one_way_of_computing(monkeypatch):
    """What is fastest is found by trying, which may end differently from one test to the next."""
    monkeypatch.setattr(
        training, "training_place", lambda model, device, *_: Place(device, "fp32", True)
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def run(rated_set, output, settings, cache, **options):
    return fit(rated_set.folder, rated_set.scores, output, settings, cache=cache, **options)


def log_of(folder):
    with (folder / LOG).open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_it_learns_and_leaves_a_checkpoint(rated_set, small_settings, cache, tmp_path):
    settings = small_settings.changed(
        {"model.size": 64, "model.spacing": 0.9, "training.batch_size": 16}
        | {"training.epochs": 6, "training.learning_rate": 3e-3, "training.ema": 0.9}
        | {f"augmentation.{item.name}": 0.0 for item in fields(Augmentation)}
        | {"augmentation.coarsest": 1.0}
    )
    messages = []
    fitted = run(
        rated_set, tmp_path / "a.safetensors", settings, cache,
        progress=lambda event: messages.append(event.text),
    )  # fmt: skip
    assert "Random weights." in messages
    log = log_of(fitted.folder)
    assert float(log[-1]["train_loss"]) < 0.6 * float(log[0]["train_loss"])
    card, model = checkpoints.load(fitted.checkpoint)
    assert card == fitted.card
    assert card.training["subjects"] == {"train": 5, "valid": 1, "test": 2}
    assert card.motion == "rated"
    assert card.rule.slope is not None
    assert not model.training
    split = Split.load(split_file(fitted.checkpoint))
    assert split == Split.load(fitted.folder / "split.json")
    assert {*split.train, *split.valid, *split.test} == {f"P{n:03d}" for n in range(1, 9)}
    assert training.Settings.load(fitted.folder / "settings.toml") == settings


KILLED = """
import os, signal, sys
sys.path[:0] = {sources!r}
from MotionQALib.devices import Place
from MotionQATrainerLib import training
training.training_place = lambda model, device, *_: Place(device, "fp32", True)
from MotionQATrainerLib.settings import Settings
def progress(event):
    if event.stage == "train" and event.done == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
training.fit({data!r}, {labels!r}, {output!r}, Settings.load({settings!r}), cache={cache!r},
             progress=progress)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_resumes_to_the_same_numbers(rated_set, small_settings, cache, tmp_path):
    step = int(np.random.default_rng(4).integers(2, 14))  # of 14; any must do
    settings = small_settings.changed({"training.save_minutes": 0.0})  # a state each step
    settings.save(tmp_path / "settings.toml")
    output = tmp_path / "killed.safetensors"
    code = KILLED.format(
        sources=[str(path) for path in SOURCES],
        step=step,
        data=str(rated_set.folder),
        labels=str(rated_set.scores),
        output=str(output),
        settings=str(tmp_path / "settings.toml"),
        cache=str(cache),
    )
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    killed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -9, killed.stderr
    assert not output.exists()
    assert (output.with_suffix("") / STATE).exists(), "no state was saved before the kill"
    resumed = run(rated_set, output, settings, cache, resume=True)
    whole = run(rated_set, tmp_path / "whole.safetensors", settings, cache)
    assert log_of(resumed.folder) == log_of(whole.folder), f"killed at step {step}"
    assert resumed.card.temperature == whole.card.temperature
    ours, theirs = (checkpoints.load(f.checkpoint)[1].state_dict() for f in (resumed, whole))
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_stopped_run_goes_on_and_a_finished_one_stays(rated_set, small_settings, cache, tmp_path):
    output = tmp_path / "stopped.safetensors"
    steps = []
    with pytest.raises(Cancelled):
        run(
            rated_set, output, small_settings, cache,
            progress=lambda event: event.stage == "train" and steps.append(event.done),
            cancelled=lambda: 5 in steps,
        )  # fmt: skip
    assert read_facts(output.with_suffix("") / STATE)["step"] == 5
    with pytest.raises(TrainingError, match="settings differ"):
        changed = small_settings.changed({"training.learning_rate": 1e-5})
        run(rated_set, output, changed, cache, resume=True)
    first = run(rated_set, output, small_settings, cache, resume=True)
    log = log_of(first.folder)
    again = run(rated_set, output, small_settings, cache, resume=True)
    assert log_of(again.folder) == log
    assert again.card.temperature == first.card.temperature


def test_early_stopping_keeps_the_best(rated_set, small_settings, cache, tmp_path):
    settings = small_settings.changed(
        {"training.epochs": 30, "training.learning_rate": 1e-12, "training.patience": 2,
         "training.ema": 0.0, "training.criterion": "kappa"}
    )  # fmt: skip
    fitted = run(rated_set, tmp_path / "stall.safetensors", settings, cache)
    log = log_of(fitted.folder)
    assert len(log) < 30
    assert [row["best"] for row in log[-2:]] == ["0", "0"]


def test_grades_train_too_and_a_checkpoint_can_be_the_start(
    rated_set, small_settings, cache, tmp_path
):
    first = run(rated_set, tmp_path / "first.safetensors", small_settings, cache)
    messages = []
    second = fit(
        rated_set.folder, rated_set.grades, tmp_path / "second.safetensors", small_settings,
        init=first.checkpoint, split=split_file(first.checkpoint), cache=cache,
        progress=lambda event: messages.append(event.text),
    )  # fmt: skip
    assert "Weights of the checkpoint first." in messages
    ours, theirs = (Split.load(split_file(f.checkpoint)) for f in (first, second))
    assert ours == theirs
    with pytest.raises(TrainingError, match="make them the same"):
        other = small_settings.changed({"model.size": 64})
        run(rated_set, tmp_path / "third.safetensors", other, cache, init=first.checkpoint)


def test_a_split_of_other_subjects_is_refused(rated_set, small_settings, cache, tmp_path):
    with pytest.raises(SplitError, match="Subject P00"):
        run(rated_set, tmp_path / "a.safetensors", small_settings, cache,
            split=Split(["x"], ["y"]))  # fmt: skip


def test_an_impossible_output_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(TrainingError, match=r"ends in \.safetensors"):
        fit(tmp_path, tmp_path / "x.csv", tmp_path / "model.pth")


def test_a_loss_that_is_no_number_is_said(rated_set, small_settings, cache, tmp_path):
    settings = small_settings.changed({"training.learning_rate": 1e20, "training.clip": 1e30})
    with pytest.raises(TrainingError, match=r"lower training\.learning_rate"):
        run(rated_set, tmp_path / "a.safetensors", settings, cache)
