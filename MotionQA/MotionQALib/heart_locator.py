"""Where the heart is: in a single frame: a small network, trained on masks of hearts.

A cine tells by its motion; a single frame does not, and a third of
all hearts lie more than 40 mm from the image's centre. The network sees the whole stack at once, as
three images at a coarse grid, so that one look costs a millisecond or two whatever the number of
slices.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from .preprocessing import Position, Preprocessing, Spacing

GRID = Preprocessing(spacing=6.0, size=64)
"""What the locator looks at: 38 cm about the image's centre."""

FILE = "MotionQA-heart-locator-{}.safetensors"


class HeartLocator(nn.Module):
    """Maps (n, 3, 64, 64) views of stacks to the heart's place, (n, 2), in pixels of the view."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = _block(3, 24)
        self.middle = _block(24, 32, stride=2)
        self.quarter = _block(32, 48, stride=2)
        self.eighth = nn.Sequential(_block(48, 64, stride=2), _block(64, 64))
        self.up_quarter = _block(64, 48)
        self.up_middle = _block(48, 32)
        self.head = nn.Conv2d(32, 1, 1)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Mean place under the softmax of the heat map."""
        return self.place(self.heat(views))

    def heat(self, views: torch.Tensor) -> torch.Tensor:
        """Logits (n, 32, 32) of where the middle of the left ventricle lies."""
        half = self.middle(self.fine(views))
        quarter = self.quarter(half)
        up = F.interpolate(self.eighth(quarter), scale_factor=2, mode="nearest")
        up = F.interpolate(self.up_quarter(up) + quarter, scale_factor=2, mode="nearest")
        return self.head(self.up_middle(up) + half)[:, 0]

    @staticmethod
    def place(heat: torch.Tensor) -> torch.Tensor:
        """Row and column of (n, side, side) logits' mean, in pixels of a view twice as fine."""
        side = heat.shape[-1]
        chance = heat.flatten(1).softmax(1).reshape(heat.shape)
        steps = 2 * torch.arange(side, device=heat.device, dtype=heat.dtype) + 0.5
        return torch.stack([(chance.sum(3 - axis) * steps).sum(1) for axis in (1, 2)], dim=1)


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def view_of_stack(stack: torch.Tensor, spacing: Spacing) -> torch.Tensor:
    """The stack's mean, spread and middle slice at the locator's grid, (3, 64, 64).

    Parameters
    ----------
    stack : (slices, rows, columns)
    spacing : mm between rows, between columns
    """
    coarse = GRID.resample(stack, spacing).clamp_min(0)
    scale = torch.quantile(coarse[:, ::2, ::2].flatten(), 0.98).clamp_min(1e-6)
    coarse = (coarse / scale).clamp_max(2)
    return torch.stack([coarse.mean(0), coarse.std(0, correction=0), coarse[len(coarse) // 2]])


@torch.inference_mode()
def locate(voxels: np.ndarray, spacing: Spacing, name: str = "free") -> Position:
    """Row and column of the heart in a stack (slices, rows, columns), in the image's middle half.

    ``name`` is one of `preprocessing.LOCATORS`.
    """
    network = _network(name)
    stack = torch.from_numpy(np.ascontiguousarray(voxels, dtype=np.float32))
    place = network(view_of_stack(stack, spacing)[None])[0].tolist()
    centre = []
    for axis in (0, 1):
        length = stack.shape[axis + 1]
        off = (place[axis] - (GRID.size - 1) / 2) * GRID.spacing / spacing[axis]
        centre.append(float(np.clip((length - 1) / 2 + off, length / 4, 3 * length / 4)))
    return centre[0], centre[1]


@lru_cache(maxsize=2)
def _network(name: str) -> HeartLocator:
    from safetensors.torch import load_file

    network = HeartLocator()
    tensors = load_file(str(_file(name)))
    network.load_state_dict(
        {key: tensors[key].to(value.dtype) for key, value in network.state_dict().items()}
    )
    return network.eval()


def _file(name: str) -> Path:
    package = Path(__file__).resolve().parent
    # In a wheel the resources lie inside the package; in the sources and in Slicer beside it.
    folders = (package / "Resources", package.parent / "Resources")
    paths = [folder / FILE.format(name) for folder in folders]
    return next((path for path in paths if path.is_file()), paths[-1])
