"""Drawing of analytic shapes in millimetres, for the phantom.

Signals are signed: water is positive, fat negative. The magnitude of their sum is what balanced
SSFP shows, down to the black line where the two share a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Contour:
    """A closed contour that its centre sees whole: an ellipse with waves on it.

    `centre` and `radii` are (x, y) in mm, `tilt` is in radians, and each wave is
    (periods round the contour, height as a share of the radius, phase).
    """

    centre: tuple[float, float]
    radii: tuple[float, float]
    waves: tuple[tuple[int, float, float], ...] = ()
    tilt: float = 0.0

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Distance in mm along the ray from the centre, negative inside."""
        dx, dy = x - self.centre[0], y - self.centre[1]
        along = dx * np.cos(self.tilt) + dy * np.sin(self.tilt)
        across = dy * np.cos(self.tilt) - dx * np.sin(self.tilt)
        u, v = along / self.radii[0], across / self.radii[1]
        relative = np.maximum(np.hypot(u, v), 1e-6)
        edge = 1.0
        if self.waves:
            angle = np.arctan2(v, u)
            edge = 1.0 + sum(h * np.cos(k * angle + phase) for k, h, phase in self.waves)
        return np.hypot(dx, dy) * (1.0 - edge / relative) - 1e-3


def waves(rng: np.random.Generator, orders: range, height: float) -> tuple:
    """Random waves of the given orders, lower for higher orders."""
    return tuple(
        (k, height * rng.uniform(0.3, 1.0) / np.sqrt(k), rng.uniform(0, 2 * np.pi)) for k in orders
    )


class Canvas:
    """A slice to paint on, its origin in the middle of the image, x to the right, y down."""

    def __init__(self, shape: tuple[int, int], spacing: tuple[float, float]):
        self.spacing = spacing
        self.signal = np.zeros(shape)
        rows, columns = (
            (np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape, spacing, strict=True)
        )
        self.y, self.x = np.meshgrid(rows, columns, indexing="ij", sparse=True)

    @cached_property
    def softness(self) -> float:
        """Width in mm over which an edge fades: a pixel and a half."""
        return 1.5 * float(np.sqrt(self.spacing[0] * self.spacing[1]))

    def distance(self, contour: Contour) -> np.ndarray:
        return contour.distance(self.x, self.y)

    def coverage(self, distance: np.ndarray) -> np.ndarray:
        """Share of each pixel that lies inside, from signed distances in mm."""
        return np.clip(0.5 - distance / self.softness, 0.0, 1.0)

    def paint(self, distance: np.ndarray, value: float | np.ndarray) -> None:
        """Cover what lies inside with the signal `value`."""
        self.signal += self.coverage(distance) * (value - self.signal)

    def dot(self, x: float, y: float, radius: float, value: float, where: np.ndarray) -> None:
        """Paint a small disc, as far as the signed distance `where` is negative."""
        reach = radius + 2 * self.softness
        rows = slice(*np.searchsorted(self.y[:, 0], (y - reach, y + reach)))
        columns = slice(*np.searchsorted(self.x[0], (x - reach, x + reach)))
        patch = self.signal[rows, columns]
        distance = np.hypot(self.x[:, columns] - x, self.y[rows] - y) - radius
        inside = self.coverage(np.maximum(distance, where[rows, columns]))
        patch += inside * (value - patch)


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], spacing: tuple[float, float], scale: float
) -> np.ndarray:
    """Gaussian random field of unit variance, correlated over `scale` mm."""
    fy, fx = (np.fft.fftfreq(n, mm) for n, mm in zip(shape, spacing, strict=True))
    response = np.exp(-2 * (np.pi * scale) ** 2 * (fy[:, None] ** 2 + fx[None, :] ** 2) / 2)
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal(shape)) * response).real
    return field / max(field.std(), 1e-12)
