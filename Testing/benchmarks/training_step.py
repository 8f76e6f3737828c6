"""A training step of the starter, its data included, against the step on a batch in memory.

The data's part: gathering 32 slices from the memory-mapped store, augmentation, normalisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import inputs
import numpy as np
import torch
from results import Options, Result
from timing import compare

from MotionQALib import backbones
from MotionQALib.devices import find_device
from MotionQATrainerLib.data.datasets import SliceStore
from MotionQATrainerLib.runs.progress import silent
from MotionQATrainerLib.training.loop import Loop
from MotionQATrainerLib.training.optimisation import training_setup
from MotionQATrainerLib.training.settings import Settings

BOUND = 0.9


def run(options: Options) -> Iterator[Result]:
    settings = inputs.starter_settings()
    if options.quick:
        settings = settings.changed({"model.size": 32, "training.batch_size": 4})
    with TemporaryDirectory() as name:
        folder = Path(name)
        loop = make_loop(settings, make_store(folder, settings, options), folder, options)
        steps = count()
        images, levels = loop.batch(next(steps))

        def with_data() -> None:
            step = next(steps)
            float(loop.take_step(step, *loop.batch(step)))

        def in_memory() -> None:
            float(loop.take_step(next(steps), images, levels))

        # Rates are the inverse of times.
        pairs = compare(in_memory, with_data, options.repetitions, options.least)
    bare, whole = (1000 * value for value in pairs.medians)
    yield Result(
        benchmark="training step",
        case=f"{settings.model.backbone}, {len(images)} slices of {images.shape[-1]}²",
        figure="rate with data / rate in memory",
        values=pairs.ratios,
        bound=BOUND,
        at_most=False,
        detail=f"{whole:.0f} / {bare:.0f} ms a step, {loop.place.precision}",
    )


def make_store(folder: Path, settings: Settings, options: Options) -> SliceStore:
    """Some slices over and over, in a memory-mapped file as `datasets.open_store` leaves it."""
    person, n = inputs.person(options), 64 if options.quick else 2048
    given = settings.model.preprocessing
    side = given.size + settings.data.margin
    crops = given.resample(torch.from_numpy(person.volume()), person.spacing[1:], size=side)
    file = folder / "crops.f16"
    np.resize((crops / crops.max()).numpy().astype(np.float16), (n, side, side)).tofile(file)
    return SliceStore(
        crops=np.memmap(file, np.float16, "r", shape=(n, side, side)),
        images=np.full(n, "image"),
        subjects=np.full(n, "subject"),
        frames=np.zeros(n, int),
        slices=np.arange(n),
        levels=np.eye(5, dtype=bool)[np.arange(n) % 5],
        volume_levels={},
        preprocessing=given,
    )


def make_loop(settings: Settings, store: SliceStore, folder: Path, options: Options) -> Loop:
    torch.manual_seed(0)
    model, _ = backbones.create(settings.model.backbone, size=settings.model.preprocessing.size)
    device, _ = find_device(options.device)
    size = settings.model.preprocessing.size
    place = training_setup(model, device, settings.training.precision, size)

    class Everything:
        digest = ""

        def epoch(self, number: int) -> tuple[SliceStore, np.ndarray]:
            return store, np.arange(len(store))

    valid = store, np.arange(8)
    return Loop(place.settle(model), place, Everything(), valid, settings, folder, silent)
