"""What one cine of the size of UK Biobank's costs: bytes, seconds to read, seconds to grade.

Processor seconds, so that a busy machine does not matter much; docs/scale.md multiplies them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import inputs
import numpy as np
from results import Options, Result

from MotionQALib import volumes
from MotionQALib.assessment import Assessor
from MotionQATrainerLib.simulation.phantom import Phantom, write_nifti

FRAMES, SLICES, SHAPE, SPACING = 50, 12, (208, 187), (10.0, 1.83, 1.83)


def run(options: Options) -> Iterator[Result]:
    frames, slices, shape = (2, 2, (40, 48)) if options.quick else (FRAMES, SLICES, SHAPE)
    with TemporaryDirectory() as name:
        folder = Path(name)
        heart = Phantom(n_slices=slices, shape=shape, spacing=SPACING)
        few = heart.cine(min(frames, 5))
        noise = np.random.default_rng(0).normal(0, 8, (frames, *few.shape[1:]))
        images = np.clip(np.resize(few, noise.shape) + noise, 0, 4095).astype(np.int16)
        for suffix in (".nii.gz", ".nii"):
            file = write_nifti(folder / f"cine{suffix}", images, heart.spacing)
            taken = _costs(lambda file=file: volumes.read(file), options.repetitions)
            yield _result(f"read {suffix}", taken, f"{file.stat().st_size / 1e6:.1f} MB")
        volume = volumes.read(file)
        for backbone in options.backbones:
            assessor = Assessor(inputs.checkpoint(folder, backbone), device=options.device)
            # The whole takes minutes on a processor: a part is enough.
            number = min(volume.n_frames * volume.n_slices, 24)
            taken = _costs(
                lambda assessor=assessor, number=number: assessor.run(
                    volume, range(number), assessor.logits
                ),
                options.repetitions,
            )
            per_image = [seconds / number for seconds in taken]
            detail = f"{assessor.precision}, of {number} images"
            yield _result(f"grade an image, {backbone}", per_image, detail)


def _costs(work: Callable[[], object], repetitions: int) -> list[float]:
    work()
    found = []
    for _ in range(repetitions):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return found


def _result(case: str, seconds: list[float], detail: str) -> Result:
    return Result(
        benchmark="cine_cost",
        case=case,
        figure="ms of processor",
        values=tuple(1000 * value for value in seconds),
        bound=None,
        at_most=True,
        detail=detail,
    )
