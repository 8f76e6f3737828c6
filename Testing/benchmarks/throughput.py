"""A batch of volumes, from files to grades on disk: against the bare forward pass, and MONAI.

The forward pass gets its input ready made. MONAI's pipeline is the plain one of its tutorials,
`LoadImaged` to `DataLoader` with two workers, before the same network in PyTorch's own precision.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import inputs
import torch
from results import Options, Result
from timing import compare

from MotionQALib import volumes
from MotionQALib.assessment import Assessor
from MotionQALib.batch import ResumeFile, assess_many

FLOOR, STARTER_FLOOR = 0.95, 0.8
"""Of the bare rate: for backbones that take over `SLOW` an image, and for the starter."""

SLOW = 0.05
"""Seconds an image."""

MONAI_FLOOR = 1.5


def run(options: Options) -> Iterator[Result]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = _files(folder, options)
        for backbone in options.backbones:
            assessor = Assessor(inputs.checkpoint(folder, backbone), device=options.device)
            yield from measure(assessor, files, folder, options)


def _files(folder: Path, options: Options) -> list[Path]:
    source = inputs.volume(folder, options)
    files = [folder / f"volume-{number}.nii.gz" for number in range(2 if options.quick else 10)]
    for file in files:
        shutil.copy(source, file)
    return files


def measure(
    assessor: Assessor, files: list[Path], folder: Path, options: Options
) -> Iterator[Result]:
    volume = volumes.read(files[0])
    images = assessor.network_input(volume, range(volume.n_slices), None)
    place = assessor.places[0]

    @torch.inference_mode()
    def forward() -> None:
        for _ in files:
            place.forward(assessor.model, images).cpu()

    def batch() -> None:
        journal = ResumeFile(folder / "o.progress.jsonl", assessor.card, resume=False)
        assert all(graded.assessment for graded in assess_many(files, assessor, journal=journal))

    pairs = compare(forward, batch, options.repetitions, options.least)
    bare, whole = (value / len(files) for value in pairs.medians)
    slow = bare / volume.n_slices > SLOW
    starter = assessor.card.backbone == inputs.backbones.STARTER_BACKBONE
    yield Result(
        benchmark="throughput",
        case=assessor.card.backbone,
        figure="batch rate / bare forward rate",
        values=pairs.ratios,
        bound=STARTER_FLOOR if starter else FLOOR if slow else None,
        at_most=False,
        detail=f"{1000 * whole:.0f} / {1000 * bare:.0f} ms a volume, {assessor.precision}",
    )
    if find_spec("monai") is None:
        return
    pairs = compare(_monai(assessor, files), batch, options.repetitions, options.least)
    theirs, ours = (value / len(files) for value in pairs.medians)
    yield Result(
        benchmark="throughput",
        case=assessor.card.backbone,
        figure="batch rate / MONAI's rate",
        values=pairs.ratios,
        bound=MONAI_FLOOR,
        at_most=False,
        detail=f"{1000 * ours:.0f} / {1000 * theirs:.0f} ms a volume",
    )


def _monai(assessor: Assessor, files: list[Path]) -> Callable[[], None]:
    from monai.data import DataLoader, Dataset
    from monai.transforms import (
        Compose,
        EnsureChannelFirstd,
        LoadImaged,
        ResizeWithPadOrCropd,
        ScaleIntensityRangePercentilesd,
        Spacingd,
    )

    seen = assessor.card.network_input
    transform = Compose(
        [
            LoadImaged(keys="image"),
            EnsureChannelFirstd(keys="image"),
            Spacingd(keys="image", pixdim=(seen.spacing, seen.spacing, -1.0)),
            ResizeWithPadOrCropd(keys="image", spatial_size=(seen.size, seen.size, -1)),
            ScaleIntensityRangePercentilesd(
                keys="image", lower=1, upper=99, b_min=0.0, b_max=1.0, clip=True
            ),
        ]
    )
    items = [{"image": str(file)} for file in files]
    channels = next(assessor.model.parameters()).shape[1]

    @torch.inference_mode()
    def pipeline() -> None:
        for item in DataLoader(Dataset(items, transform), batch_size=1, num_workers=2):
            slices = item["image"][0].permute(3, 0, 1, 2).as_tensor()
            slices = slices.expand(-1, channels, -1, -1).contiguous()
            assessor.model(slices.to(assessor.device)).softmax(dim=1).cpu()

    return pipeline
