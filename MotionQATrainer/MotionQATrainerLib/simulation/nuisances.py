"""What spoils images and is not breathing: it must not change a grade.

Each function takes slices (n, rows, columns) and gives them back spoilt, in the same units. The
ranges in `Nuisance.draw` are assumptions, set to reach beyond what routine images show: pixels of
1.8 to 3.3 mm, partial Fourier of 0.6 to 0.9, noise of up to a twenty-fifth of the blood's signal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from MotionQALib.preprocessing import Preprocessing

from .severity import bright_signal


@dataclass(frozen=True)
class Nuisance:
    """Imperfections that are not breathing and leave the label as it is.

    Parameters
    ----------
    noise : standard deviation of the complex noise, as a fraction of the bright signal
    mistriggered : share of another cardiac phase in the late heartbeats' lines, 0 for none
    late_beats : how many heartbeats come late
    jitter : mm; standard deviation of the heart's position from beat to beat
    partial_fourier : share of the phase-encoding lines that are acquired, 1 for all
    blur : standard deviation of a Gaussian blur in pixels
    truncation : share of k-space kept, cut hard so that edges ring; 1 for all
    pixel : mm; the images are resampled to pixels of this size; None leaves them
    bands, bias, ghost : strength of dark bands, coil shading and a flow ghost, 0 for none
    wrap : share of the image that folds over along phase encoding
    """

    noise: float = 0.0
    mistriggered: float = 0.0
    late_beats: int = 1
    jitter: float = 0.0
    partial_fourier: float = 1.0
    blur: float = 0.0
    truncation: float = 1.0
    pixel: float | None = None
    bands: float = 0.0
    bias: float = 0.0
    ghost: float = 0.0
    wrap: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, *, wide: bool = False) -> Nuisance:
        """Draw what is wrong with one volume; ``wide`` strays beyond what is typical."""
        few = cls(
            noise=float(rng.uniform(0, 0.04) if rng.uniform() < 0.5 else 0.0),
            mistriggered=float(rng.uniform(0.1, 0.4) if rng.uniform() < 0.15 else 0.0),
            jitter=float(rng.uniform(0.05, 0.2) if rng.uniform() < 0.15 else 0.0),
        )
        if not wide:
            return few

        def sometimes(chance: float, low: float, high: float, otherwise: float) -> float:
            value = rng.uniform(low, high)
            return float(value) if rng.uniform() < chance else otherwise

        return cls(
            noise=few.noise,
            mistriggered=sometimes(0.2, 0.1, 0.8, 0.0),
            late_beats=int(rng.integers(1, 4)),
            jitter=few.jitter,
            partial_fourier=sometimes(0.15, 0.6, 0.9, 1.0),
            blur=sometimes(0.2, 0.4, 1.5, 0.0),
            truncation=sometimes(0.15, 0.5, 0.9, 1.0),
            pixel=sometimes(0.3, 1.8, 3.3, 0.0) or None,
            bands=sometimes(0.12, 0.2, 0.8, 0.0),
            bias=sometimes(0.15, 0.3, 1.0, 0.0),
            ghost=sometimes(0.12, 0.03, 0.2, 0.0),
            wrap=sometimes(0.1, 0.05, 0.2, 0.0),
        )

    def after(
        self,
        images: torch.Tensor,
        spacing: tuple[float, float],
        phase_axis: int,
        centre: tuple[float, float],
        rng: np.random.Generator,
    ) -> torch.Tensor:
        """Everything that does not need k-space lines told apart, in the order of the scanner."""
        if self.ghost:
            images = flow_ghost(images, spacing, phase_axis, centre, self.ghost, rng)
        if self.bands:
            images = banding(images, spacing, self.bands, rng)
        if self.wrap:
            images = wrapped(images, phase_axis, self.wrap)
        if self.blur:
            images = blurred(images, self.blur)
        if self.truncation < 1:
            images = truncated(images, self.truncation)
        if self.bias:
            images = shaded(images, self.bias, rng)
        if self.noise:
            images = noisy(images, self.noise, rng)
        return images


def noisy(images: torch.Tensor, level: float, rng: np.random.Generator) -> torch.Tensor:
    """Rician noise, its standard deviation a fraction of the bright signal."""
    deviation = level * float(bright_signal(images).median())
    parts = torch.from_numpy(rng.standard_normal((2, *images.shape), dtype=np.float32))
    parts = parts.to(images.device)
    return torch.hypot(images + deviation * parts[0], deviation * parts[1])


def blurred(images: torch.Tensor, pixels: float) -> torch.Tensor:
    """Gaussian blur of a standard deviation in pixels."""
    reach = max(1, round(3 * pixels))
    place = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (place / pixels) ** 2)
    kernel = (kernel / kernel.sum())[None, None]
    padded = F.pad(images[:, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel[..., None]), kernel[:, :, None])[:, 0]


def truncated(images: torch.Tensor, share: float) -> torch.Tensor:
    """The middle ``share`` of k-space along either axis, cut hard: blur with Gibbs ringing."""
    kspace = torch.fft.fft2(images)
    for axis in (1, 2):
        frequency = torch.fft.fftfreq(images.shape[axis], device=images.device).abs()
        kept = (frequency <= 0.5 * share).to(images.dtype)
        kspace = kspace * (kept[:, None] if axis == 1 else kept)
    return torch.fft.ifft2(kspace).abs()


def coarsened(
    images: torch.Tensor, spacing: tuple[float, float], pixel: float
) -> tuple[torch.Tensor, tuple[float, float]]:
    """The same field of view in square pixels of ``pixel`` mm, and the new spacing."""
    extent = [length * step for length, step in zip(images.shape[1:], spacing, strict=True)]
    rows, columns = (max(32, round(length / pixel)) for length in extent)
    square = Preprocessing(spacing=pixel, size=max(rows, columns)).resample(images, spacing)
    top, left = (square.shape[1] - rows) // 2, (square.shape[2] - columns) // 2
    return square[:, top : top + rows, left : left + columns].clamp_min(0), (pixel, pixel)


def banding(
    images: torch.Tensor, spacing: tuple[float, float], depth: float, rng: np.random.Generator
) -> torch.Tensor:
    """Dark bands of off-resonance, where the phase of balanced SSFP turns by pi."""
    y, x = _millimetres(images, spacing)
    period, angle = rng.uniform(120, 260), rng.uniform(0, 2 * np.pi)
    bend = rng.normal(0, 1e-3, 2)
    along = np.cos(angle) * y + np.sin(angle) * x + bend[0] * y**2 + bend[1] * x**2
    phase = np.pi * along / period + rng.uniform(0, np.pi)
    return images * (1 - depth * torch.cos(phase).abs() ** 24)


def shaded(images: torch.Tensor, strength: float, rng: np.random.Generator) -> torch.Tensor:
    """A smooth bias field, brighter by up to e^strength on one side than in the middle."""
    coarse = torch.from_numpy(rng.uniform(-strength, strength, (1, 1, 3, 3)).astype(np.float32))
    field = F.interpolate(
        coarse.to(images.device), size=images.shape[1:], mode="bicubic", align_corners=True
    )
    return images * torch.exp(field[0])


def flow_ghost(
    images: torch.Tensor,
    spacing: tuple[float, float],
    phase_axis: int,
    centre: tuple[float, float],
    strength: float,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Copies of a bright vessel, repeated along phase encoding, as pulsatile flow leaves them."""
    y, x = _millimetres(images, spacing, centre)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(25, 70)
    vessel = torch.hypot(y - far * np.sin(angle), x - far * np.cos(angle)) < rng.uniform(6, 14)
    vessel = blurred(vessel[None].to(images.dtype), 1.0)
    source = bright_signal(images)[:, None, None] * vessel
    step = round(images.shape[1 + phase_axis] / rng.uniform(4, 9))
    ghosts = sum(
        strength / abs(turn) * rng.choice([-1, 1]) * torch.roll(source, turn * step, 1 + phase_axis)
        for turn in (-2, -1, 1, 2)
    )
    return (images + ghosts).abs()


def wrapped(images: torch.Tensor, phase_axis: int, share: float) -> torch.Tensor:
    """A field of view too small along phase encoding: its ends fold over onto the other side."""
    axis = 1 + phase_axis
    length = images.shape[axis]
    cut = max(1, round(share / 2 * length))
    kept = images.narrow(axis, cut, length - 2 * cut).clone()
    kept.narrow(axis, kept.shape[axis] - cut, cut).add_(images.narrow(axis, 0, cut))
    kept.narrow(axis, 0, cut).add_(images.narrow(axis, length - cut, cut))
    whole = torch.zeros_like(images)
    whole.narrow(axis, cut, length - 2 * cut).copy_(kept)
    return whole


def _millimetres(
    images: torch.Tensor,
    spacing: tuple[float, float],
    centre: tuple[float, float] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance down and to the right from a place, by default the image's centre."""
    centre = centre or ((images.shape[1] - 1) / 2, (images.shape[2] - 1) / 2)
    y, x = (
        (torch.arange(length, device=images.device) - middle) * step
        for length, middle, step in zip(images.shape[1:], centre, spacing, strict=True)
    )
    return y[:, None], x[None, :]
