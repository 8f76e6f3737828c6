"""An analytic short-axis cardiac MR phantom: images with a heart, and no patient's data.

Every shape is a formula in millimetres, so a phantom costs no download, carries no licence and is
known exactly. Contrast, anatomy and noise follow balanced SSFP cine; each seed is another person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from .anatomy import BLOOD, Heart, Thorax
from .shapes import Canvas, smooth_noise

ES_PHASE = 0.35
"""Share of the cardiac cycle at which the ventricles are smallest."""

FULL_SCALE = 400.0
"""Intensity in the images of a signal of one."""


def contraction(phase: float) -> float:
    """How far the heart has contracted: 0 at end diastole (phase 0), 1 at end systole (0.35)."""
    phase = phase % 1.0
    if phase >= 2 * ES_PHASE:
        return 0.0
    return float(0.5 - 0.5 * np.cos(np.pi * phase / ES_PHASE))


@dataclass(frozen=True)
class Phantom:
    """A person lying in the scanner: short-axis slices from base (slice 0) to apex.

    `shape` is (rows, columns), `spacing` in mm (between slices, between rows, between columns),
    and `noise` the standard deviation of the noise as a share of the blood's signal.
    """

    seed: int = 0
    n_slices: int = 10
    shape: tuple[int, int] = (216, 256)
    spacing: tuple[float, float, float] = (8.0, 1.4, 1.4)
    noise: float = 0.02

    def volume(self, phase: float = 0.0) -> np.ndarray:
        """Images of one phase of the cardiac cycle, float32 (slices, rows, columns)."""
        return np.stack([self._image(index, phase) for index in range(self.n_slices)])

    def cine(self, n_frames: int) -> np.ndarray:
        """A whole heartbeat, float32 (frames, slices, rows, columns)."""
        return np.stack([self.volume(frame / n_frames) for frame in range(n_frames)])

    def heart_mask(self, phase: float = 0.0) -> np.ndarray:
        """uint8 (slices, rows, columns): 1 right ventricle, 2 myocardium, 3 left ventricle."""
        masks = []
        for index in range(self.n_slices):
            part = self._heart.distances(self._canvas(), self._z(index), contraction(phase))
            mask = np.where(part["right"] < 0, 1, 0)
            mask[part["outer"] < 0] = 2
            mask[part["left"] < 0] = 3
            masks.append(mask)
        return np.stack(masks).astype(np.uint8)

    def save(self, path: str | Path, phase: float = 0.0, n_frames: int = 1) -> Path:
        """Write one phase, or a cine of `n_frames`, as NIfTI; return the path."""
        images = self.volume(phase) if n_frames == 1 else self.cine(n_frames)
        return write_nifti(path, images, self.spacing)

    @cached_property
    def _heart(self) -> Heart:
        return Heart(np.random.default_rng([self.seed, 1]))

    @cached_property
    def _thorax(self) -> Thorax:
        return Thorax(np.random.default_rng([self.seed, 2]))

    @cached_property
    def _resting(self) -> list[np.ndarray]:
        """Signal of each slice without the heart: what all phases share."""
        canvases = [self._canvas() for _ in range(self.n_slices)]
        for index, canvas in enumerate(canvases):
            self._thorax.paint(canvas, self._z(index), self._noise([3, index], 7.0))
        return [canvas.signal for canvas in canvases]

    @cached_property
    def _shading(self) -> np.ndarray:
        """Sensitivity of the coils: strong near the chest, weaker at depth, (rows, columns)."""
        rng = np.random.default_rng([self.seed, 4])
        canvas = self._canvas()
        gain = np.full(self.shape, 0.62)
        for x, y, reach, peak in ((-70, -90, 85, 0.75), (70, -90, 85, 0.55), (10, 150, 80, 0.35)):
            distance = np.hypot(canvas.x - x - rng.normal(0, 12), canvas.y - y - rng.normal(0, 12))
            gain += peak * rng.uniform(0.7, 1.2) * np.exp(-0.5 * (distance / reach) ** 2)
        return gain

    def _image(self, index: int, phase: float) -> np.ndarray:
        canvas = self._canvas()
        canvas.signal = self._resting[index].copy()
        texture = self._noise([5, index], 2.5)
        self._heart.paint(canvas, self._z(index), contraction(phase), texture)
        return self._receive(canvas.signal * self._shading, index, phase)

    def _receive(self, signal: np.ndarray, index: int, phase: float) -> np.ndarray:
        """Magnitude image of a signal: noise on both channels, and a finite k-space."""
        rng = np.random.default_rng([self.seed, 6, index, round(1000 * (phase % 1.0))])
        noise = rng.standard_normal((2, *self.shape)) * self.noise * BLOOD
        fades = (1 / (1 + np.exp((np.abs(np.fft.fftfreq(n)) - 0.42) / 0.02)) for n in self.shape)
        window = np.outer(*fades)
        received = np.fft.ifft2(np.fft.fft2(signal + noise[0] + 1j * noise[1]) * window)
        return (FULL_SCALE * np.abs(received)).astype(np.float32)

    def _noise(self, key: list[int], scale: float) -> np.ndarray:
        rng = np.random.default_rng([self.seed, *key])
        return smooth_noise(rng, self.shape, self.spacing[1:], scale)

    def _canvas(self) -> Canvas:
        return Canvas(self.shape, self.spacing[1:])

    def _z(self, index: int) -> float:
        """Place of a slice between base (0) and apex (1)."""
        return index / max(self.n_slices - 1, 1)


def write_nifti(
    path: str | Path, images: np.ndarray, spacing: tuple[float, float, float], dtype="int16"
) -> Path:
    """Write images ([frames,] slices, rows, columns) with axes as ACDC's; return the path.

    The file's axes are (columns, rows, slices[, frames]); `spacing` is in mm, as a Volume's.
    """
    import nibabel

    scaled = np.rint(images) if np.issubdtype(np.dtype(dtype), np.integer) else images
    between_slices, between_rows, between_columns = spacing
    affine = np.diag([-between_columns, -between_rows, between_slices, 1.0])
    image = nibabel.Nifti1Image(scaled.astype(dtype).T, affine)
    image.header.set_xyzt_units("mm", "sec")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path
