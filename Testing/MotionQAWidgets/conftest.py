"""Widget tests run in the host that stands in for Slicer."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from host.fixtures import *  # noqa: F403

if sys.version_info < (3, 12):
    # PySide6 6.12 gives back references to None that it never took, which only Pythons with an
    # immortal None survive: without some in store, a few ten thousand calls end the process.
    ctypes.c_ssize_t.from_address(id(None)).value += 2**40

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
