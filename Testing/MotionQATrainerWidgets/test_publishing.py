"""A finished checkpoint among the user's own: no other one of its name is lost by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from host import pythonqt

pythonqt(__name__)


@pytest.fixture
def listed(host, tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setitem(os.environ, "MOTIONQA_CHECKPOINTS", str(folder))
    (folder / "net.safetensors").write_bytes(b"of last week")
    return folder


def trained(tmp_path: Path, content: bytes = b"of today") -> Path:
    path = tmp_path / "runs" / "net.safetensors"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.with_suffix(".split.json").write_text("{}")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def test_a_checkpoint_of_the_same_name_is_kept(listed, tmp_path):
    from MotionQATrainerWidgets.publishing import is_listed, listed_as, publish

    run = trained(tmp_path)
    assert not is_listed(run)
    publish(run)
    assert contents(listed) == {
        "net.safetensors": b"of last week",
        "net-2.safetensors": b"of today",
    }
    assert (listed / "net-2.split.json").is_file(), "nobody knows any more whom it was trained on"
    assert is_listed(run) and listed_as(run).stem == "net-2"
    publish(run)  # once more, as after a restart
    assert len(contents(listed)) == 2


def test_it_is_replaced_where_the_user_agreed(listed, tmp_path):
    from MotionQATrainerWidgets.publishing import is_listed, publish

    run = trained(tmp_path)
    publish(run, replace=True)
    assert contents(listed) == {"net.safetensors": b"of today"}
    assert is_listed(run)


def test_the_same_one_is_not_listed_twice(listed, tmp_path):
    from MotionQATrainerWidgets.publishing import listed_as, publish

    run = trained(tmp_path, b"of last week")
    publish(run)
    assert listed_as(run) == listed / "net.safetensors" and len(contents(listed)) == 1


def test_the_console_replaces_nothing_unasked(listed, tmp_path):
    from MotionQATrainerLib import api

    with pytest.raises(FileExistsError, match=r"net\.safetensors is there already; .*overwrite"):
        api.train(tmp_path, output=listed / "net.safetensors")


def test_resuming_starts_as_many_processes_as_the_run_began_with(host, tmp_path, monkeypatch):
    from MotionQATrainerLib.runs.run_folder import COMMAND
    from MotionQATrainerLib.runs.training_request import TrainingRequest
    from MotionQATrainerLib.training.run_process import Run
    from MotionQATrainerWidgets.trainings import Training

    began = TrainingRequest(data=tmp_path, output=tmp_path / "net.safetensors", processes=4)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / COMMAND).write_text(began.to_command() + "\n")
    asked = []
    monkeypatch.setattr(Run, "start", lambda request, folder, **_: asked.append(request))
    Training(Run.attach(tmp_path / "net")).resume()
    assert asked[0].processes == 4 and asked[0].resume
