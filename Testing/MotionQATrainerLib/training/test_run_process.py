import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import MotionQALib
import MotionQATrainerLib
from MotionQATrainerLib import api
from MotionQATrainerLib.runs.training_request import TrainingRequest
from MotionQATrainerLib.training import run_process
from MotionQATrainerLib.training.run_process import Run, RunError

SOURCES = [str(Path(package.__file__).parents[1]) for package in (MotionQALib, MotionQATrainerLib)]
SMALL = {"size": 32, "spacing": 1.8, "margin": 8, "batch_size": 8, "precision": "fp32",
         "pretrained": False}  # fmt: skip
NET = "tf_efficientnet_lite0"


def until(condition, seconds=400):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def test_neither_torch_nor_qt_is_imported():
    code = (
        f"import sys; sys.path[:0] = {SOURCES!r}; import MotionQATrainerLib.api\n"
        "print({'torch', 'timm', 'qt', 'slicer', 'scipy', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_run_is_watched_stopped_found_again_and_resumed(rated_set, tmp_path):
    call = (rated_set.folder, rated_set.scores, NET, tmp_path / "net.safetensors")
    began = time.monotonic()
    run = api.train(*call, epochs=2, save_minutes=60.0, **SMALL)
    assert time.monotonic() - began < 2, "train() kept its caller waiting"
    lines = []
    until(lambda: lines.extend(run.new_lines()) or run.progress.stage == "train")
    assert run.alive
    run.cancel()
    assert run.wait(60) is None
    assert run.state == "stopped"
    assert run.checkpoint is None
    found = api.attach(run.folder)
    assert found.state == "stopped"
    with pytest.raises(RunError, match="not finished"):
        api.train(*call, epochs=2, save_minutes=60.0, **SMALL).wait(60)
    again = api.train(*call, epochs=2, save_minutes=60.0, resume=True, **SMALL)
    assert again.wait(120) == call[-1]
    assert again.state == "finished"
    assert again.metrics["epoch"] == 2
    assert "valid_kappa" in again.metrics
    assert "finished" in repr(again)
    assert any(line.startswith("epoch 2") for line in again.new_lines())
    assert again.new_lines() == []
    assert "Random weights." in lines
    assert api.attach(call[-1]).checkpoint == call[-1]
    table = api.compare([again, "motionqa-starter", tmp_path / "none.safetensors"])
    assert [row.model for row in table.rows] == ["net", "motionqa-starter", "none"]
    assert "| net " in repr(table)
    assert "no such checkpoint" in table.rows[2].failed


def test_what_is_wrong_is_one_sentence(rated_set, tmp_path):
    run = api.train(rated_set.folder, rated_set.scores, NET, tmp_path / "a.safetensors", epoch=3)
    with pytest.raises(RunError, match="no setting 'epoch'; did you mean epochs"):
        run.wait(60)
    assert run.state == "failed"


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes in another way")
def test_a_killed_run_is_told_from_one_at_work(rated_set, tmp_path):
    run = api.train(rated_set.folder, rated_set.scores, NET, tmp_path / "a.safetensors",
                    epochs=500, **SMALL)  # fmt: skip
    until(lambda: run.progress.epoch >= 1)
    beside = api.attach(run.folder)
    assert beside.alive
    assert [found.folder for found in api.runs(tmp_path)] == [run.folder]
    assert beside.state == "running"
    assert beside.progress.seconds_left > 0
    run.kill()
    with pytest.raises(RunError, match="was killed"):
        run.wait(30)
    assert beside.state == "killed"


def test_backbones_are_compared_in_a_process_of_their_own(rated_set, tmp_path):
    run = api.compare([NET, "vgg"], data=rated_set.folder, labels=rated_set.scores,
                      output=tmp_path / "set", epochs=1, **SMALL)  # fmt: skip
    run.wait(120)
    good, bad = run.table.rows
    assert good.model == NET
    assert good.valid_acc is not None
    assert "'vgg' is not one of" in bad.failed
    with pytest.raises(ValueError, match="labels are needed"):
        api.compare([NET], data=rated_set.folder)


def test_in_slicer_the_real_python_is_started(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(sys, "executable", str(tmp_path / "PythonSlicer"))
    monkeypatch.setattr(
        run_process.subprocess, "Popen", lambda command, **_: started.append(command[0])
    )
    request = TrainingRequest(data=tmp_path, output=tmp_path / "net.safetensors")
    Run.start(request, tmp_path / "run")
    (tmp_path / "python-real").touch()
    Run.start(request, tmp_path / "run")
    assert started == [str(tmp_path / "PythonSlicer"), str(tmp_path / "python-real")]
