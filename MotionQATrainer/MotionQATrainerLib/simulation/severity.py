"""How severe simulated motion is: structural similarity in the heart region, and its score.

A heart that stood still, but elsewhere, gives a sharp image that nobody can tell from an unmoved
one. So the corrupted slice is first laid over the clean one by a translation, and both are compared
at one pixel size, so that a scanner's matrix does not change a label. Version 1 did
neither.

The limits were chosen so that each behaviour of CMRxMotion comes out severe about as often as the
challenge's readers found it so; those of version 2 keep each score's share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from MotionQALib.preprocessing import Preprocessing

HEART_REGION = 128.0
"""Side of the square about the heart in which severity is judged, mm."""

FARTHEST = 18.0
"""Largest translation in mm that registration looks for, either way along either axis."""


@dataclass(frozen=True)
class Severity:
    """One version of the label.

    Parameters
    ----------
    limits : lower bounds of structural similarity for scores 2, 3, 4 and 5
    registered : whether the corrupted slice is first laid over the clean one
    spacing : mm a pixel at which they are compared; None: the image's own
    """

    limits: tuple[float, float, float, float]
    registered: bool
    spacing: float | None

    @torch.no_grad()
    def similarity(
        self,
        images: torch.Tensor,
        reference: torch.Tensor,
        spacing: tuple[float, float],
        centre: tuple[float, float],
    ) -> torch.Tensor:
        """Structural similarity in the heart region, (n,), of slices to their clean ones.

        Parameters
        ----------
        images, reference : (n, rows, columns)
        spacing : mm between rows, between columns
        centre : row and column of the heart
        """
        if self.spacing is None:
            return structural_similarity(
                images, reference, heart_region(images.shape[1:], spacing, centre)
            )
        margin = round(FARTHEST / self.spacing) + 3 if self.registered else 0
        side = round(HEART_REGION / self.spacing) + 2 * margin
        grid = Preprocessing(spacing=self.spacing, size=side)
        within = torch.ones((1, *images.shape[1:]), device=images.device)
        images, reference, within = (
            grid.resample(stack, spacing, centre) for stack in (images, reference, within)
        )
        if self.registered:
            images = translated(
                images, translation(images, reference, round(FARTHEST / self.spacing))
            )
        inner = (slice(margin, side - margin),) * 2
        seen = within[:, inner[0], inner[1]] > 0.5
        return structural_similarity(images, reference, inner, seen=seen)

    def scores(self, similarity: np.ndarray | float) -> np.ndarray:
        """Likert scores 1 to 5 of structural similarities, same shape."""
        return 1 + np.searchsorted(self.limits, similarity, side="right")


VERSIONS = {
    1: Severity((0.50, 0.66, 0.88, 0.96), registered=False, spacing=None),
    2: Severity((0.58, 0.73, 0.91, 0.97), registered=True, spacing=1.35),
}
CURRENT = VERSIONS[2]


def score_of_similarity(similarity: np.ndarray | float) -> np.ndarray:
    """Likert scores 1 to 5 by the current version of the label, same shape."""
    return CURRENT.scores(similarity)


def heart_region(
    shape: tuple[int, int], spacing: tuple[float, float], centre: tuple[float, float]
) -> tuple[slice, slice]:
    """Rows and columns of the `HEART_REGION` square about the heart, within the image."""
    region = []
    for length, step, middle in zip(shape, spacing, centre, strict=True):
        half = HEART_REGION / 2 / step
        start, stop = round(middle - half), round(middle + half) + 1
        region.append(slice(max(0, min(start, length - 8)), min(length, max(stop, 8))))
    return region[0], region[1]


def bright_signal(images: torch.Tensor) -> torch.Tensor:
    """(n,) 99th percentile of each image, the level of blood."""
    flat = images.flatten(1)
    return torch.kthvalue(flat, max(1, round(0.99 * flat.shape[1])), dim=1).values


def translation(images: torch.Tensor, reference: torch.Tensor, farthest: int) -> torch.Tensor:
    """Pixels (n, 2) by which each image lies off its reference, to a fraction of a pixel.

    The peak of their cross-correlation within ``farthest`` pixels, then Gauss-Newton steps of least
    squares from there (Lucas and Kanade, 1981); both fade towards the border.
    """
    rows, columns = images.shape[1:]
    fade = torch.outer(
        *(
            torch.hann_window(length, periodic=False, device=images.device)
            for length in (rows, columns)
        )
    )
    weight = fade / fade.sum()
    centred = [
        (stack - (stack * weight).sum((1, 2), keepdim=True)) * fade for stack in (images, reference)
    ]
    product = torch.fft.rfft2(centred[0]) * torch.fft.rfft2(centred[1]).conj()
    correlation = torch.fft.irfft2(product, s=(rows, columns))
    near = torch.roll(correlation, (farthest, farthest), (1, 2))
    near = near[:, : 2 * farthest + 1, : 2 * farthest + 1]
    peak = near.flatten(1).argmax(1)
    shift = torch.stack([peak // near.shape[2], peak % near.shape[2]], 1).float() - farthest
    down, right = (torch.gradient(reference, dim=axis)[0] * fade for axis in (1, 2))
    normal = torch.stack(
        [torch.stack([(a * b).sum((1, 2)) for b in (down, right)], 1) for a in (down, right)],
        1,
    )
    normal = normal + 1e-6 * torch.eye(2, device=images.device) * (
        normal.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] + 1e-12
    )
    for _ in range(4):
        difference = (translated(images, shift) - reference) * fade
        slope = torch.stack([(side * difference).sum((1, 2)) for side in (down, right)], 1)
        step = torch.linalg.solve(normal, slope[:, :, None])[:, :, 0].clamp(-1, 1)
        shift = (shift - step).clamp(-farthest, farthest)
    return shift


def translated(images: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Images (n, rows, columns) moved back by (n, 2) pixels, without the blur of interpolation."""
    rows, columns = images.shape[1:]
    down = torch.fft.fftfreq(rows, device=images.device)
    right = torch.fft.rfftfreq(columns, device=images.device)
    angle = (
        2
        * torch.pi
        * (shift[:, 0, None, None] * down[:, None] + shift[:, 1, None, None] * right[None, :])
    )
    ramp = torch.polar(torch.ones_like(angle), angle)
    return torch.fft.irfft2(torch.fft.rfft2(images) * ramp, s=(rows, columns))


def structural_similarity(
    images: torch.Tensor,
    reference: torch.Tensor,
    region: tuple[slice, slice] = (slice(None), slice(None)),
    window: int = 7,
    seen: torch.Tensor | None = None,
) -> torch.Tensor:
    """(n,) mean SSIM within ``region`` (Wang et al., IEEE TIP 2004; uniform window).

    The dynamic range is the reference's bright signal, free of a few brightest pixels. ``seen``,
    (1, rows, columns) bool of the region: windows whose centre lies elsewhere do not count.
    """
    x, y = images[:, region[0], region[1]], reference[:, region[0], region[1]]
    spread = bright_signal(y).clamp_min(1e-6)[:, None, None]
    x, y = x / spread, y / spread
    maps = torch.stack([x, y, x * x, y * y, x * y], dim=1)
    mean_x, mean_y, xx, yy, xy = _window_means(maps, window).unbind(1)
    unbiased = window**2 / (window**2 - 1)
    var_x, var_y = unbiased * (xx - mean_x**2), unbiased * (yy - mean_y**2)
    covariance = unbiased * (xy - mean_x * mean_y)
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    if seen is None:
        return similarity.flatten(1).mean(1)
    half = window // 2
    weight = seen[:, half:-half, half:-half].float()
    return (similarity * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)


def _window_means(maps: torch.Tensor, window: int) -> torch.Tensor:
    """Means over square windows, rows first and then columns: a seventh of the additions."""
    return F.avg_pool2d(F.avg_pool2d(maps, (window, 1), stride=1), (1, window), stride=1)
