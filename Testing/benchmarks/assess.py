"""Grading a volume, from its file to the Assessment, against the bare forward pass.

The forward pass gets the input ready made, in one batch, and is otherwise computed the same way:
same network, precision and memory format. What the ratio exceeds 1 by is everything else:
decompression, header, resampling, normalisation, grading.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import inputs
import torch
from results import Options, Result
from timing import compare

from MotionQALib import volumes
from MotionQALib.assessment import Assessor

BOUND = 1.15


def run(options: Options) -> Iterator[Result]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = inputs.volume(folder, options)
        for backbone in options.backbones:
            assessor = Assessor(inputs.checkpoint(folder, backbone), device=options.device)
            yield measure(assessor, file, options)


def measure(assessor: Assessor, file: Path, options: Options) -> Result:
    volume = volumes.read(file)
    images = assessor.network_input(volume, range(volume.n_slices), None)
    place = assessor.places[0]

    @torch.inference_mode()
    def forward() -> torch.Tensor:
        return place.forward(assessor.model, images).cpu()

    pairs = compare(
        lambda: assessor.assess(volumes.read(file)), forward, options.repetitions, options.least
    )
    whole, bare = (1000 * value for value in pairs.medians)
    return Result(
        benchmark="assess",
        case=assessor.card.backbone,
        figure="file to grades / bare forward pass",
        values=pairs.ratios,
        bound=BOUND,
        at_most=True,
        detail=f"{whole:.1f} / {bare:.1f} ms, {volume.n_slices} slices, {assessor.precision}",
    )
