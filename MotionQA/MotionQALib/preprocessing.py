"""From a volume's slices to the network's input; the same code in training and in grading.

Motion artefacts live at a scale of millimetres, so slices are resampled to a fixed pixel spacing
and cropped around the heart rather than squeezed into the network's size: squeezing a 512 x 512
slice into 224 x 224 pixels would average the ghosts away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache

import numpy as np
import torch

Spacing = tuple[float, float]
Position = tuple[float, float]

SPACINGS = (0.1, 20.0)
"""mm a pixel that a network may see; what is finer or coarser shows no heart."""

LOCATORS = ("free", "acdc")


@dataclass(frozen=True)
class Preprocessing:
    """Settings that travel in a checkpoint's card.

    Parameters
    ----------
    spacing : pixel spacing of the network's input, mm
    size : pixels a side of the network's input
    low, high : percentiles of a slice's crop that become 0 and 1
    locator : which `heart_locator` finds the heart in a single frame: "free" (no licence bound) or
        "acdc" (closer, trained on ACDC too, not for commercial use)
    """

    spacing: float = 1.25
    size: int = 160
    low: float = 1.0
    high: float = 99.0
    locator: str = "free"

    def __post_init__(self) -> None:
        low, high = SPACINGS
        if not (np.isfinite(self.spacing) and low <= self.spacing <= high):
            raise ValueError(f"spacing is {low:g} to {high:g} mm; got {self.spacing!r}.")
        if not (isinstance(self.size, int) and 32 <= self.size <= 2048):
            raise ValueError(f"size is a whole number of pixels, 32 to 2048; got {self.size!r}.")
        if not 0 <= self.low < self.high <= 100:
            raise ValueError(f"percentiles must rise; got low={self.low!r}, high={self.high!r}.")

        if self.locator not in LOCATORS:
            raise ValueError(f"locator is one of {', '.join(LOCATORS)}; got {self.locator!r}.")

    def to_dict(self) -> dict[str, float | int | str]:
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, float | int | str]) -> Preprocessing:
        """Rebuild from a card; ValueError on a key that this version does not know."""
        unknown = set(settings) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown preprocessing settings: {', '.join(sorted(unknown))}.")
        return cls(**settings)

    def __call__(
        self, images: torch.Tensor, spacing: Spacing, centre: Position | None = None
    ) -> torch.Tensor:
        """Network input of a stack of slices.

        Parameters
        ----------
        images : (n, rows, columns), any real dtype
        spacing : mm between rows, between columns
        centre : row and column, in pixels, that the crop is centred on; the image's by default

        Returns
        -------
        (n, 1, size, size) float32
        """
        inside = self.inside(tuple(images.shape[1:]), spacing, centre)
        return self.normalise(self.resample(images, spacing, centre), inside)[:, None]

    def inside(
        self, shape: tuple[int, int], spacing: Spacing, centre: Position | None = None
    ) -> tuple[slice, slice]:
        """Rows and columns of the crop that show the image rather than what lies around it."""
        if centre is None:
            centre = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
        spans = []
        for axis in (0, 1):
            positions = _positions(centre[axis], self.size, self.spacing / spacing[axis])
            within = torch.nonzero(_within(positions, shape[axis])).flatten().tolist() or [0, -1]
            spans.append(slice(within[0], within[-1] + 1))
        return spans[0], spans[1]

    def resample(
        self,
        images: torch.Tensor,
        spacing: Spacing,
        centre: Position | None = None,
        size: int | None = None,
    ) -> torch.Tensor:
        """Crop ``size`` pixels at the fixed spacing around ``centre``: (n, size, size) float32.

        Rows and columns are resampled by one matrix each, which interpolates, low-passes when
        shrinking, and crops in a single product. Outside the image is its lowest value: 0 would
        be grey where all values are offset.
        """
        size = size or self.size
        if centre is None:
            centre = ((images.shape[1] - 1) / 2, (images.shape[2] - 1) / 2)
        (rows, row_window), (columns, column_window) = (
            resampling_matrix(
                images.shape[axis + 1], spacing[axis], centre[axis], size, self.spacing
            )
            for axis in (0, 1)
        )
        window = images[:, row_window, column_window].to(torch.float32)
        lowest = window.amin(dim=(1, 2), keepdim=True)
        return rows.to(window.device) @ ((window - lowest) @ columns.to(window.device).T) + lowest

    def normalise(
        self, crops: torch.Tensor, inside: tuple[slice, slice] | None = None
    ) -> torch.Tensor:
        """Scale each of (n, side, side) crops between its own robust percentiles, about [-2, 2].

        The percentiles are taken on every other pixel, which halves neither their precision nor
        their meaning and makes them four times as cheap; of pixels ``inside`` the image only, where
        that is given.
        """
        rows, columns = inside or (slice(None), slice(None))
        sample = crops[:, rows, columns][:, ::2, ::2].flatten(1)
        low, high = (
            torch.kthvalue(sample, 1 + round(percent / 100 * (sample.shape[1] - 1)), dim=1).values
            for percent in (self.low, self.high)
        )
        scale = (high - low).clamp_min(torch.finfo(torch.float32).tiny)
        unit = (crops - low[:, None, None]) / scale[:, None, None]
        return (unit.clamp_(0.0, 1.25) - 0.5) / 0.25

    def restore(
        self,
        crops: torch.Tensor,
        shape: tuple[int, int],
        spacing: Spacing,
        centre: Position | None = None,
    ) -> torch.Tensor:
        """Bring (n, side, side) maps over the crop back to the slices' grid: (n, rows, columns).

        ``side`` may be coarser than ``size``: the map is taken to cover the same field of view.
        Outside the crop is 0.
        """
        side = crops.shape[-1]
        spacing_of_map = self.spacing * self.size / side
        if centre is None:
            centre = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
        products = []
        for axis in (0, 1):
            # Position of the target's centre in the map's pixels: where the two grids coincide.
            offset = ((shape[axis] - 1) / 2 - centre[axis]) * spacing[axis] / spacing_of_map
            matrix, window = resampling_matrix(
                side, spacing_of_map, (side - 1) / 2 + offset, shape[axis], spacing[axis]
            )
            products.append((matrix.to(crops.device), window))
        (rows, row_window), (columns, column_window) = products
        return rows @ (crops[:, row_window, column_window].float() @ columns.T)


@lru_cache(maxsize=64)
def resampling_matrix(
    length: int, spacing: float, centre: float, size: int, new_spacing: float
) -> tuple[torch.Tensor, slice]:
    """Linear map from ``length`` samples ``spacing`` mm apart to ``size`` ones about ``centre``.

    A cubic convolution kernel (Keys, 1981, a = -1/2), stretched when the new spacing is coarser so
    that nothing aliases. Returns the matrix, (size, window), and the window of the input's samples
    that it applies to; the rest carry no weight.
    """
    positions = _positions(centre, size, new_spacing / spacing)
    stretch = max(1.0, new_spacing / spacing)
    samples = torch.arange(length, dtype=torch.float64)
    weights = _cubic((positions[:, None] - samples[None, :]) / stretch)
    inside = _within(positions, length)
    weights = torch.where(inside[:, None], weights, 0.0)
    weights = weights / weights.sum(dim=1, keepdim=True).where(inside[:, None], 1.0)
    used = torch.nonzero(weights.abs().sum(dim=0)).flatten()
    if not len(used):
        return torch.zeros(size, 1), slice(0, 1)
    window = slice(int(used[0]), int(used[-1]) + 1)
    return weights[:, window].to(torch.float32).contiguous(), window


def _positions(centre: float, size: int, step: float) -> torch.Tensor:
    """Where the samples of the crop lie in the image, in its pixels."""
    return centre + (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) * step


def _within(positions: torch.Tensor, length: int) -> torch.Tensor:
    return (positions > -0.5) & (positions < length - 0.5)


def _cubic(x: torch.Tensor) -> torch.Tensor:
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
