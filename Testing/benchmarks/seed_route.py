"""Grading a volume against the usual route through image files, on a CPU.

That route: nibabel reads the volume, every slice is saved as PNG, PIL opens it, timm's transforms
prepare it, and the network computes it alone, in float32. It gets the same network and the same
input size, so that only the route is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import inputs
import nibabel
import numpy as np
import timm.data
import torch
from PIL import Image
from results import Options, Result
from timing import compare

from MotionQALib import checkpoints, volumes
from MotionQALib.assessment import Assessor

BOUND = 2.0


def run(options: Options) -> Iterator[Result]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = inputs.volume(folder, options)
        for backbone in options.backbones:
            checkpoint = inputs.checkpoint(folder, backbone)
            assessor = Assessor(checkpoint, device="cpu")
            other = Route(checkpoint, folder / "slices")
            pairs = compare(
                lambda route=other: route(file),
                lambda ours=assessor: ours.assess(volumes.read(file)),
                options.repetitions,
                options.least,
            )
            theirs, ours = (1000 * value for value in pairs.medians)
            yield Result(
                benchmark="seed route",
                case=backbone,
                figure="PNG route / file to grades",
                values=pairs.ratios,
                bound=BOUND,
                at_most=False,
                detail=f"{theirs:.0f} / {ours:.0f} ms, {assessor.precision}",
            )


class Route:
    """Grades a volume slice by slice through PNG files in ``folder``."""

    def __init__(self, checkpoint: Path, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        card, self.model = checkpoints.load(checkpoint)
        config = timm.data.resolve_model_data_config(self.model)
        side = card.network_input.size
        config |= {"input_size": (1, side, side), "mean": (0.45,), "std": (0.23,)}  # one channel
        self.transform = timm.data.create_transform(**config, is_training=False)

    @torch.inference_mode()
    def __call__(self, file: Path) -> np.ndarray:
        """Probabilities (slices, 5)."""
        rows = []
        for path in self.export(file):
            with Image.open(path) as image:
                tensor = self.transform(image.convert("L"))[None]
            rows.append(self.model(tensor).softmax(1)[0].numpy())
        return np.stack(rows)

    def export(self, file: Path) -> list[Path]:
        voxels = nibabel.load(file).get_fdata()
        paths = []
        for index in range(voxels.shape[2]):
            image = voxels[:, :, index].T
            low, high = image.min(), image.max()
            grey = (255 * (image - low) / (high - low)).astype(np.uint8)
            paths.append(self.folder / f"{index:03d}.png")
            Image.fromarray(grey).save(paths[-1])
        return paths
