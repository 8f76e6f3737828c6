import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import MotionQALib
import MotionQATrainerLib
from MotionQALib import checkpoints
from MotionQATrainerLib.data.augmentation import Augmentation
from MotionQATrainerLib.runs.training_error import TrainingError
from MotionQATrainerLib.training.distributed import World
from MotionQATrainerLib.training.fit import train

SOURCES = [str(Path(package.__file__).parents[1]) for package in (MotionQALib, MotionQATrainerLib)]


def test_a_process_alone_is_the_world():
    world = World.join()
    assert world.writes
    assert world.first("x") == "x"
    assert world.any(True, False) == (True, False)
    assert world.sum(2.5) == 2.5
    assert world.after_first(lambda: 3) == 3
    assert world.device("auto") == "auto"
    assert list(range(5))[world.share()] == list(range(5))


def test_shares_are_the_whole_batch():
    crops = torch.rand(7, 40, 40, generator=torch.Generator().manual_seed(0))
    augment = Augmentation(blur=1.0, frame=0.5)
    whole = augment(crops, 32, torch.Generator().manual_seed(5))
    for rank in range(3):
        share = World(rank, 3).share()
        part = augment(crops[share], 32, torch.Generator().manual_seed(5), (7, share))
        torch.testing.assert_close(part, whole[share])


def test_more_processes_than_a_batch_has_samples_are_refused(small_settings, tmp_path):
    with pytest.raises(TrainingError, match="9 processes cannot share batches of 8"):
        train(tmp_path / "a.safetensors", tmp_path, None, None, None, small_settings,
              world=World(0, 9))  # fmt: skip


@pytest.mark.slow  # three processes start PyTorch
@pytest.mark.skipif(not torch.distributed.is_available(), reason="PyTorch without distributed")
def test_two_processes_learn_what_one_learns(rated_set, tmp_path):
    """With a network without batch normalisation, which on a CPU each process has for itself."""
    options = {"size": 32, "spacing": 1.8, "margin": 8, "precision": "fp32", "pretrained": False,
               "batch_size": 7, "epoch_slices": 28}  # an odd batch: unequal shares  # fmt: skip
    changes = [f"--set={name}={str(value).lower()}" for name, value in options.items()]
    line = ["-m", "MotionQATrainerLib.cli", "fit", "--data", str(rated_set.folder),
            "--labels", str(rated_set.scores), "--backbone", "coat_lite_small", "--epochs", "2",
            "--device", "cpu", "--cache", str(tmp_path / "cache"), *changes]  # fmt: skip
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(SOURCES), "OMP_NUM_THREADS": "1"}
    logs, weights = [], []
    for name, launcher in (("one", []), ("two", torchrun)):
        output = tmp_path / f"{name}.safetensors"
        command = [sys.executable, *launcher, *line, "--output", str(output)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("Random weights.") == 1, "more than one process speaks"
        with (tmp_path / name / "log.csv").open(newline="") as file:
            logs.append([[float(row[k]) for k in ("train_loss", "valid_nll", "step")]
                         for row in csv.DictReader(file)])  # fmt: skip
        weights.append(checkpoints.load(output)[1].state_dict())
    assert "2 processes" in done.stdout
    np.testing.assert_allclose(*logs, rtol=1e-4)
    for key, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][key], rtol=0.01, atol=2e-3)
