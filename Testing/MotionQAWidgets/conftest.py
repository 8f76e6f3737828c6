"""Widget tests run in the host that stands in for Slicer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from host.fixtures import *  # noqa: F403

LIBRARY = Path(__file__).resolve().parents[2] / "MotionQA"

RANDOM_CHECKPOINT = """
import sys, torch
from MotionQALib import backbones, checkpoints
torch.manual_seed(0)
name = backbones.STARTER_BACKBONE
model, _ = backbones.create(name)
settings = backbones.get(name).preprocessing.to_dict()
title = "Random weights, for tests"
card = checkpoints.Card(name="random", title=title, backbone=name, preprocessing=settings)
checkpoints.save(sys.argv[1], model.eval(), card)
"""


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory) -> Path:
    """A checkpoint with fixed random weights, made in another process: no torch beside Slicer."""
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    command = [sys.executable, "-c", RANDOM_CHECKPOINT, str(path)]
    subprocess.run(command, cwd=LIBRARY, check=True, timeout=280)
    return path
