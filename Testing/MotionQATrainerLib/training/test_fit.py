import csv
import os
import random
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from MotionQALib import checkpoints
from MotionQALib.devices import DeviceSetup
from MotionQATrainerLib.cli import main
from MotionQATrainerLib.data.augmentation import Augmentation
from MotionQATrainerLib.data.splits import Split, SplitError, split_file
from MotionQATrainerLib.runs import run_state
from MotionQATrainerLib.runs.progress import Stopped
from MotionQATrainerLib.runs.run_state import read_facts
from MotionQATrainerLib.runs.training_error import TrainingError
from MotionQATrainerLib.simulation.phantom import Phantom
from MotionQATrainerLib.training import fit as fit_module
from MotionQATrainerLib.training.fit import fit
from MotionQATrainerLib.training.loop import LOG, STATE

SOURCES = [Path(fit_module.__file__).parents[2], Path(checkpoints.__file__).parents[1]]


@pytest.fixture(autouse=True)
def one_way_of_computing(monkeypatch):
    """What is fastest is found by trying, which may end differently from one test to the next."""
    monkeypatch.setattr(
        fit_module, "training_setup", lambda model, device, *_: DeviceSetup(device, "fp32", True)
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
    assert fit_module.Settings.load(fitted.folder / "settings.toml") == settings


KILLED = """
import os, signal, sys
sys.path[:0] = {sources!r}
from MotionQALib.devices import DeviceSetup
from MotionQATrainerLib.training import fit as fit_module
fit_module.training_setup = lambda model, device, *_: DeviceSetup(device, "fp32", True)
from MotionQATrainerLib.training.training_settings import Settings
def progress(event):
    if event.stage == "train" and event.done == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
fit_module.fit({data!r}, {labels!r}, {output!r}, Settings.load({settings!r}), cache={cache!r},
             progress=progress)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(("first", "minutes"), [(2, 0.0), (8, 60.0)])
def test_a_killed_run_resumes_to_the_same_numbers(
    rated_set, small_settings, cache, tmp_path, first, minutes
):
    """With a state at each step, and with one an epoch, after which steps were lost."""
    step = random.SystemRandom().randrange(first, 14)  # of 14, 7 an epoch; any must do
    settings = small_settings.changed({"training.save_minutes": minutes})
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
    with pytest.raises(Stopped):
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


def test_a_split_in_the_runs_own_folder_serves_a_new_run(tmp_path):
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "settings.toml").touch()
    Split(["a"], ["b"]).save(folder / "split.json")
    (tmp_path / "x.csv").write_text("image,score\na,3\n")
    with pytest.raises(ValueError, match="holds no images"):  # and not: the split cannot be read
        fit(tmp_path, tmp_path / "x.csv", folder.with_suffix(".safetensors"),
            split=folder / "split.json")  # fmt: skip


def test_a_folder_that_is_no_run_is_left_alone(tmp_path):
    (tmp_path / "set").mkdir()
    split = tmp_path / "set" / "split.json"
    split.touch()
    with pytest.raises(TrainingError, match="something else than a training run"):
        fit(tmp_path, None, tmp_path / "set.safetensors")
    assert split.exists()


def test_an_unfinished_run_is_not_wiped(rated_set, small_settings, cache, tmp_path):
    output = tmp_path / "net.safetensors"
    with pytest.raises(Stopped):
        run(rated_set, output, small_settings, cache, cancelled=lambda: True)
    with pytest.raises(TrainingError, match="--overwrite"):
        run(rated_set, output, small_settings, cache)
    assert read_facts(output.with_suffix("") / STATE)["step"] == 1
    fitted = run(rated_set, output, small_settings, cache, overwrite=True)
    assert read_facts(fitted.folder / STATE)["finished"]


def test_other_labels_are_no_way_to_go_on(rated_set, small_settings, cache, tmp_path):
    """A reader went on scoring meanwhile."""
    labels = tmp_path / "scores.csv"
    shutil.copy(rated_set.scores, labels)
    output = tmp_path / "net.safetensors"
    with pytest.raises(Stopped):
        fit(rated_set.folder, labels, output, small_settings, cache=cache, cancelled=lambda: True)
    first, second, rest = labels.read_text().split("\n", 2)
    labels.write_text("\n".join([first, second[:-1] + "2", rest]))
    with pytest.raises(TrainingError, match="not those that this run began with"):
        fit(rated_set.folder, labels, output, small_settings, cache=cache, resume=True)


def test_a_file_named_stop_stops_it(rated_set, small_settings, cache, tmp_path):
    output = tmp_path / "net.safetensors"

    def progress(event):
        if event.stage == "train" and event.done == 3:
            (output.with_suffix("") / "stop").touch()

    with pytest.raises(Stopped):
        run(rated_set, output, small_settings, cache, progress=progress)
    assert read_facts(output.with_suffix("") / STATE)["step"] == 3
    assert not (output.with_suffix("") / "stop").exists()


def test_the_folder_tells_all_of_the_run(rated_set, small_settings, cache, tmp_path):
    fitted = run(rated_set, tmp_path / "net.safetensors", small_settings, cache)
    last, best = (
        checkpoints.load(fitted.folder / f"{name}.safetensors")[0] for name in ("last", "best")
    )
    assert last.training["epoch"] == 2
    assert best.training["epoch"] in (1, 2)
    assert "not calibrated" in best.notice
    report = (fitted.folder / "report.html").read_text(encoding="utf-8")
    assert report.count("<svg") == 4
    assert "On the test subjects" in report
    assert report.count("data:image/png") == 12
    command = shlex.split((fitted.folder / "command.txt").read_text())
    assert command[:2] == ["motionqa-train", "fit"]
    log = log_of(fitted.folder)
    assert main(command[1:]) == 0  # the settings and the split lie in the folder that is emptied
    assert log_of(fitted.folder) == log


def test_a_full_disk_is_said_before_training(
    rated_set, small_settings, cache, tmp_path, monkeypatch
):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**7))
    with pytest.raises(TrainingError, match=r"The run needs 0\.2 GB .* 0\.0 GB are free"):
        run(rated_set, tmp_path / "net.safetensors", small_settings, cache)


def test_a_disk_that_fills_up_leaves_the_last_state(
    rated_set, small_settings, cache, tmp_path, monkeypatch
):
    output = tmp_path / "net.safetensors"
    write = run_state.save_file

    def fail(*arguments, **options):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    def progress(event):
        if event.stage == "train" and event.done == 5:
            monkeypatch.setattr(run_state, "save_file", fail)

    settings = small_settings.changed({"training.save_minutes": 0.0})
    with pytest.raises(TrainingError, match=r"the disk is full.*--resume"):
        run(rated_set, output, settings, cache, progress=progress)
    assert read_facts(output.with_suffix("") / STATE)["step"] == 4
    assert not list(output.with_suffix("").glob(".*.part"))
    monkeypatch.setattr(run_state, "save_file", write)
    assert run(rated_set, output, settings, cache, resume=True).checkpoint.exists()


def test_a_folder_that_vanishes_comes_back_with_the_state(
    rated_set, small_settings, cache, tmp_path
):
    output = tmp_path / "net.safetensors"
    folder = output.with_suffix("")
    told = []

    def progress(event):
        if event.stage == "train":
            told.append(event.done)
            if told[-1] == 9:
                shutil.rmtree(folder)

    with pytest.raises(Stopped):
        run(rated_set, output, small_settings, cache, progress=progress,
            cancelled=lambda: told[-1:] == [11])  # fmt: skip
    assert read_facts(folder / STATE)["step"] == 11
    assert run(rated_set, output, small_settings, cache, resume=True).checkpoint.exists()


def test_images_that_vanish_stop_it_with_the_state_kept(small_settings, tmp_path):
    clean, output = tmp_path / "clean", tmp_path / "net.safetensors"
    clean.mkdir()
    for seed in range(4):
        phantom = Phantom(seed=seed, n_slices=3, shape=(64, 72), spacing=(10.0, 4.0, 4.0))
        phantom.save(clean / f"person{seed}.nii.gz")

    def progress(event):
        if event.stage == "validate":
            shutil.rmtree(clean)

    settings = small_settings.changed({"data.test": 0.0})
    with pytest.raises(TrainingError, match=r"Training stopped: .*person.*--resume"):
        fit(clean, None, output, settings, progress=progress)
    facts = read_facts(output.with_suffix("") / STATE)
    assert facts["step"] > 0
    assert not facts["finished"]
