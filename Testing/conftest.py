"""What all tests share: quiet surroundings, synthetic volumes, a small checkpoint, real images."""

from __future__ import annotations

import os
from pathlib import Path

# Before NumPy and torch start: as many threads as a small machine has, no hub, no window.
os.environ.setdefault("OMP_NUM_THREADS", str(min(2, os.cpu_count() or 1)))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


def acdc_folder() -> Path | None:
    """Folder of the ACDC images (patientNNN/…), or None where they are not at hand."""
    named = os.environ.get("MOTIONQA_ACDC")
    folder = Path(named) if named else ROOT.parent / "shared" / "data" / "acdc"
    return folder if any(folder.glob("patient*/*.nii.gz")) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if acdc_folder() is not None:
        return
    reason = "the ACDC images are not here; MOTIONQA_ACDC may name their folder"
    for item in items:
        if "acdc" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True, scope="session")
def own_checkpoints(tmp_path_factory):
    """Keep the checkpoints that the user of this machine has installed out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIONQA_CHECKPOINTS", str(tmp_path_factory.mktemp("checkpoints")))
        yield


@pytest.fixture(scope="session")
def acdc() -> Path:
    """Folder of the ACDC images; the test is skipped where they are absent."""
    folder = acdc_folder()
    if folder is None:
        pytest.skip("the ACDC images are not here; MOTIONQA_ACDC may name their folder")
    return folder


@pytest.fixture(scope="session")
def phantom():
    """A small person: 4 slices of 96 x 112 pixels at 2.5 mm."""
    from MotionQATrainerLib.simulation.phantom import Phantom

    return Phantom(seed=7, n_slices=4, shape=(96, 112), spacing=(10.0, 2.5, 2.5))


@pytest.fixture(scope="session")
def phantom_file(phantom, tmp_path_factory) -> Path:
    """The small person at end diastole as NIfTI, axes (columns, rows, slices); read only."""
    return phantom.save(tmp_path_factory.mktemp("phantom") / "phantom-ED.nii.gz")


@pytest.fixture(scope="session")
def cine_file(phantom, tmp_path_factory) -> Path:
    """Three frames of the small person as 4-D NIfTI; read only."""
    return phantom.save(tmp_path_factory.mktemp("cine") / "phantom-cine.nii.gz", n_frames=3)


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory) -> Path:
    """A checkpoint of the starter's backbone with fixed random weights; read only."""
    import torch

    from MotionQALib import backbones, checkpoints

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, _ = backbones.create(backbones.STARTER_BACKBONE)
    card = checkpoints.Card(
        name="random",
        title="Random weights, for tests",
        backbone=backbones.STARTER_BACKBONE,
        preprocessing=backbones.get(backbones.STARTER_BACKBONE).preprocessing.to_dict(),
    )
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    checkpoints.save(path, model.eval(), card)
    return path


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
