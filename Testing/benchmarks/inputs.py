"""Volumes and checkpoints to measure with: synthetic images, random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from results import Options

from MotionQALib import backbones, checkpoints
from MotionQALib.preprocessing import Preprocessing
from MotionQATrainerLib.simulation.phantom import Phantom, write_nifti
from MotionQATrainerLib.training.training_settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def starter_settings() -> Settings:
    """What the starter checkpoint is trained with, from random weights."""
    file = ROOT / "MotionQATrainer" / "Resources" / "MotionQATrainer-starter.toml"
    return Settings.load(file).changed({"model.pretrained": False})


def preprocessing(backbone: str) -> Preprocessing:
    """A backbone's own input; the starter's as the starter checkpoint has it."""
    if backbone == backbones.STARTER_BACKBONE:
        return starter_settings().model.preprocessing
    return backbones.get(backbone).preprocessing


def checkpoint(folder: Path, backbone: str) -> Path:
    """A checkpoint with random weights, which compute no faster than trained ones."""
    torch.manual_seed(0)
    given = preprocessing(backbone)
    model, _ = backbones.create(backbone, size=given.size)
    card = checkpoints.Card(backbone, backbone, backbone, given.to_dict())
    path = folder / f"{backbone}.safetensors"
    checkpoints.save(path, model, card)
    return path


def person(options: Options) -> Phantom:
    """12 slices of 216 x 256 pixels at 1.4 mm."""
    if options.quick:
        return Phantom(n_slices=2, shape=(40, 48), spacing=(8.0, 7.0, 7.0))
    return Phantom(n_slices=12, shape=(216, 256), spacing=(8.0, 1.4, 1.4))


def volume(folder: Path, options: Options) -> Path:
    """One phase of the person as .nii.gz, 16-bit."""
    return person(options).save(folder / "volume.nii.gz")


def cine(folder: Path, options: Options) -> Path:
    """30 frames of 12 slices of 512 x 512 pixels as .nii.gz, 16-bit."""
    slices, side, frames = (2, 64, 3) if options.quick else (12, 512, 30)
    beating = Phantom(n_slices=slices, shape=(side, side), spacing=(8.0, *[380 / side] * 2))
    few = beating.cine(3)  # drawing all frames would take longer than measuring
    images = np.tile(few, (frames // 3, 1, 1, 1))
    return write_nifti(folder / "cine.nii.gz", images, beating.spacing)
