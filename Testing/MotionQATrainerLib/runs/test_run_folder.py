import pytest
import torch

from MotionQATrainerLib.runs.run_folder import LOG, STATE, STOP, RunFolder
from MotionQATrainerLib.runs.run_state import save_state
from MotionQATrainerLib.runs.training_error import TrainingError


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "net.safetensors")


def begin(folder, finished=False):
    folder.open(resume=False, overwrite=False)
    (folder / "settings.toml").touch()
    (folder / LOG).write_text("epoch\n")
    model = torch.nn.Linear(1, 1)
    adam = torch.optim.AdamW(model.parameters())
    save_state(folder / STATE, model, model, adam, {"step": 1, "finished": finished})
    folder.close()


def test_an_unfinished_run_is_never_wiped_silently(folder):
    begin(folder)
    with pytest.raises(TrainingError, match=r"not finished.*--resume.*--overwrite"):
        folder.open(resume=False, overwrite=False)
    assert (folder / STATE).exists()
    assert folder.open(resume=True, overwrite=False)
    assert (folder / LOG).exists()
    folder.close()
    assert not folder.open(resume=False, overwrite=True)
    assert not (folder / LOG).exists()
    assert not (folder / STATE).exists()


def test_a_finished_run_makes_room_for_the_next(folder):
    begin(folder, finished=True)
    assert folder.unfinished  # trained, but the checkpoint is not there yet
    folder.output.touch()
    assert not folder.unfinished
    assert not folder.open(resume=False, overwrite=False)


def test_two_processes_do_not_train_in_one_folder(folder):
    folder.open(resume=False, overwrite=False)
    assert folder.running
    with pytest.raises(TrainingError, match="Another process"):
        RunFolder(folder.output).open(resume=False, overwrite=False)
    folder.close()
    assert not folder.running


def test_a_request_to_stop_is_for_one_run(folder):
    folder.path.mkdir()
    (folder / STOP).touch()
    folder.open(resume=False, overwrite=False)
    assert not folder.asked_to_stop()
    (folder / STOP).touch()
    assert folder.asked_to_stop()
    folder.close()
    assert not folder.asked_to_stop()


def test_what_a_run_left_that_never_began_is_no_obstacle(folder):
    folder.path.mkdir()
    (folder / "console.txt").touch()
    folder.open(resume=False, overwrite=False)
    folder.close()
    folder.open(resume=False, overwrite=False)
