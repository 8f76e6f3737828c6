"""Classical measures of image quality: what can be told about motion without a network.

Blur lowers the gradients and the outer k-space, ghosts raise the dark background and put side
lobes into the autocorrelation, and motion along one axis makes the two axes differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

BATCH = 64
TINY = 1e-12

# Lags, as shares of the side, at which copies of the chest wall or the heart are looked for.
GHOST_LAGS = (0.08, 0.45)
BANDS = (0.125, 0.25, 0.5, 1.0)  # of the Nyquist frequency


def quality_features(images: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return features (n, f), float32, and their f names.

    Parameters
    ----------
    images : (n, size, size), preprocessed: one spacing and one intensity scale for all.
    """
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise ValueError(f"Images are an (n, size, size) array; got {images.shape}.")
    rows, names = [], []
    for start in range(0, len(images), BATCH):
        batch = dict(_features(np.asarray(images[start : start + BATCH], dtype=np.float32)))
        names = list(batch)
        rows.append(np.stack(list(batch.values()), axis=1))
    features = np.concatenate(rows) if rows else np.zeros((0, 0))
    return np.nan_to_num(features.astype(np.float32)), names


def _features(images: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield from _intensity(images)
    yield from _sharpness(images)
    yield from _noise(images)
    window = np.hanning(images.shape[1]).astype(np.float32)
    centred = (images - images.mean(axis=(1, 2), keepdims=True)) * np.outer(window, window)
    power = np.abs(np.fft.fft2(centred)) ** 2
    power /= power.sum(axis=(1, 2), keepdims=True) + TINY
    yield from _spectrum(power)
    yield from _autocorrelation(power)


def _intensity(images: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Histogram, and the background, where ghosts show."""
    flat = images.reshape(len(images), -1)
    low, dark, middle, bright, high = np.percentile(flat, [1, 10, 50, 90, 99], axis=1)
    span = high - low + TINY
    yield "dark level", (dark - low) / span
    yield "median level", (middle - low) / span
    yield "bright level", (bright - low) / span
    unit = np.clip((flat - low[:, None]) / span[:, None], 0, 1)
    counts = np.stack([np.bincount((row * 63).astype(int), minlength=64) for row in unit])
    yield "entropy", _entropy(counts)
    background = unit <= 0.15
    share = background.mean(axis=1)
    energy = (unit**2 * background).mean(axis=1)
    yield "background share", share
    yield "background energy", energy / (share + TINY)
    deviation = unit - unit.mean(axis=1, keepdims=True)
    spread = deviation.std(axis=1) + TINY
    yield "spread", spread
    yield "skewness", (deviation**3).mean(axis=1) / spread**3
    yield "kurtosis", (deviation**4).mean(axis=1) / spread**4


def _sharpness(images: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    variance = images.var(axis=(1, 2)) + TINY
    down, across = np.diff(images, axis=1), np.diff(images, axis=2)
    energy = {"rows": (down**2).mean(axis=(1, 2)), "columns": (across**2).mean(axis=(1, 2))}
    for axis, value in energy.items():
        yield f"gradient energy along {axis}", value / variance
    yield "gradient anisotropy", np.log((energy["rows"] + TINY) / (energy["columns"] + TINY))

    # Sobel's derivatives: a difference along one axis, smoothed along the other.
    wide_down = images[:, 2:] - images[:, :-2]
    wide_across = images[:, :, 2:] - images[:, :, :-2]
    sobel_down = wide_down[:, :, :-2] + 2 * wide_down[:, :, 1:-1] + wide_down[:, :, 2:]
    sobel_across = wide_across[:, :-2] + 2 * wide_across[:, 1:-1] + wide_across[:, 2:]
    gradient = np.hypot(sobel_down, sobel_across).reshape(len(images), -1)
    yield "Tenengrad", (gradient**2).mean(axis=1) / variance
    deviation = np.sqrt(variance)
    edges = np.percentile(gradient, [50, 90, 99], axis=1) / deviation
    yield "edge strength, median", edges[0]
    yield "edge strength, 90 %", edges[1]
    yield "edge strength, 99 %", edges[2]
    yield "gradient entropy", _entropy(gradient)

    inner = images[:, 1:-1, 1:-1]
    neighbours = images[:, 2:, 1:-1] + images[:, :-2, 1:-1]
    neighbours = neighbours + images[:, 1:-1, 2:] + images[:, 1:-1, :-2]
    yield "Laplacian variance", (neighbours - 4 * inner).var(axis=(1, 2)) / variance


def _noise(images: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Noise by Immerkær's operator (1996), blind to straight edges, taken as a median."""
    across = images[:, :, 2:] - 2 * images[:, :, 1:-1] + images[:, :, :-2]
    residue = across[:, 2:] - 2 * across[:, 1:-1] + across[:, :-2]
    sigma = np.median(np.abs(residue.reshape(len(images), -1)), axis=1) / (0.6745 * 6)
    yield "noise", sigma
    yield "log SNR", np.log((images.std(axis=(1, 2)) + TINY) / (sigma + 1e-4))


def _spectrum(power: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Share of k-space energy in bands of each axis' frequency, as logarithms."""
    frequency = np.abs(np.fft.fftfreq(power.shape[1])) * 2
    for axis, profile in (("rows", power.sum(axis=2)), ("columns", power.sum(axis=1))):
        for low, high in pairwise(BANDS):
            band = (frequency >= low) & (frequency <= high)
            share = profile[:, band].sum(axis=1)
            yield f"energy along {axis}, {low:g} to {high:g}", np.log(share + 1e-8)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    yield "mean frequency", (power * radius).sum(axis=(1, 2))
    corner = np.minimum(frequency[:, None], frequency[None, :]) > 0.25
    yield "energy in the corners", np.log(power[:, corner].sum(axis=1) + 1e-8)


def _autocorrelation(power: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Width of the central peak and height of the highest side lobe, along either axis.

    High frequencies are raised first: the autocorrelation is then that of the edges, narrow
    enough for a ghost's lobe to stand apart.
    """
    side = power.shape[1]
    frequency = np.fft.fftfreq(side)
    edges = power * (frequency[:, None] ** 2 + frequency[None, :] ** 2)
    for kind, spectrum in (("image", power), ("edges", edges)):
        correlation = np.fft.ifft2(spectrum).real
        correlation /= correlation[:, :1, :1] + TINY
        for axis, line in (("rows", correlation[:, :, 0]), ("columns", correlation[:, 0])):
            half = line[:, : side // 2]
            if kind == "image":
                yield f"correlation width along {axis}", (half > 0.5).sum(axis=1) / side
            else:
                low, high = (round(share * side) for share in GHOST_LAGS)
                yield f"ghost lobe along {axis}", half[:, low:high].max(axis=1)


def _entropy(weights: np.ndarray) -> np.ndarray:
    share = weights / (weights.sum(axis=1, keepdims=True) + TINY)
    return -(share * np.log(share + TINY)).sum(axis=1)
