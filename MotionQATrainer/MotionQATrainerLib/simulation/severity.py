"""How severe simulated motion is: structural similarity in the heart region, and its score.

The limits were chosen so that each behaviour of CMRxMotion comes out severe about as often as the
challenge's readers found it so.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

HEART_REGION = 128.0
"""Side of the square about the heart in which severity is judged, mm."""

SEVERITY_LIMITS = (0.50, 0.66, 0.88, 0.96)
"""Lower bounds of structural similarity for scores 2, 3, 4 and 5."""


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


def structural_similarity(
    images: torch.Tensor,
    reference: torch.Tensor,
    region: tuple[slice, slice] = (slice(None), slice(None)),
    window: int = 7,
) -> torch.Tensor:
    """(n,) mean SSIM within ``region`` (Wang et al., IEEE TIP 2004; uniform window).

    The dynamic range is the reference's bright signal, free of a few brightest pixels.
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
    return similarity.flatten(1).mean(1)


def _window_means(maps: torch.Tensor, window: int) -> torch.Tensor:
    """Means over square windows, rows first and then columns: a seventh of the additions."""
    return F.avg_pool2d(F.avg_pool2d(maps, (window, 1), stride=1), (1, window), stride=1)


def score_of_similarity(similarity: np.ndarray | float) -> np.ndarray:
    """Likert scores 1 to 5 of structural similarities, same shape."""
    return 1 + np.searchsorted(SEVERITY_LIMITS, similarity, side="right")
