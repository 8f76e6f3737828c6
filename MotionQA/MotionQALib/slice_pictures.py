"""Slices as small PNG pictures, with relevance as a transparent layer of its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .palette import RELEVANCE, rgb

if TYPE_CHECKING:
    from .results import Assessment
    from .volumes import Volume

LONGEST_SIDE = 240
"""Pixels; enough to see ghosts, and a report of many volumes still opens."""

WINDOW = (1.0, 99.0)
"""Percentiles of the slices' middles that become black and white: fat near the coil is brighter."""

OPACITY = 0.75
"""Of the most relevant place of a slice at the bottom of the scale."""


@dataclass(frozen=True)
class SlicePicture:
    """One slice. ``image`` and ``overlay`` are PNG files of the same size."""

    frame: int
    slice: int
    image: bytes
    overlay: bytes | None = None


def positions_to_show(assessment: Assessment) -> list[int]:
    """Each slice at its worst frame, as positions frame * n_slices + slice."""
    frames = assessment.worst_frames.tolist()
    return [frame * assessment.n_slices + index for index, frame in enumerate(frames)]


def draw(
    volume: Volume, positions: Sequence[int], relevance: np.ndarray | None = None
) -> tuple[SlicePicture, ...]:
    """Draw chosen slices, all in the same window, pixels square.

    Parameters
    ----------
    positions : slices counted through all frames
    relevance : (n, rows, columns) in [0, 1], a map for each of the positions
    """
    low, high = _window(volume.voxels)
    pictures = []
    for number, position in enumerate(positions):
        frame, index = divmod(position, volume.n_slices)
        grey = (volume.voxels[frame, index].astype(np.float32) - low) * (255 / (high - low))
        image = _scaled(np.clip(grey, 0, 255), volume.spacing[1:]).astype(np.uint8)
        overlay = None
        if relevance is not None:
            overlay = _png(_coloured(_scaled(relevance[number], volume.spacing[1:])))
        pictures.append(SlicePicture(frame, index, _png(image), overlay))
    return tuple(pictures)


def _window(voxels: np.ndarray) -> tuple[float, float]:
    rows, columns = voxels.shape[2:]
    step = max(1, min(rows, columns) // 96)
    within = [slice(length // 5, length - length // 5, step) for length in (rows, columns)]
    frames = voxels[:: max(1, len(voxels) // 4)]
    low, high = np.percentile(frames[:, :, within[0], within[1]], WINDOW)
    return float(low), float(high if high > low else low + 1)


def _scaled(image: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Resample (rows, columns) to square pixels and at most ``LONGEST_SIDE``: float32."""
    from PIL import Image

    height, width = (length * size for length, size in zip(image.shape, spacing, strict=True))
    factor = LONGEST_SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    picture = Image.fromarray(np.ascontiguousarray(image, dtype=np.float32))
    return np.clip(picture.resize(size, Image.Resampling.BICUBIC), image.min(), image.max())


def _coloured(relevance: np.ndarray) -> np.ndarray:
    """Relevance in [0, 1] as (rows, columns, 4) bytes, the more opaque the more relevant."""
    places = [place for place, _ in RELEVANCE]
    colours = np.array([rgb(colour) for _, colour in RELEVANCE])
    channels = [np.interp(relevance, places, colours[:, channel]) for channel in range(3)]
    opacity = 255 * OPACITY * np.sqrt(np.clip(relevance, 0, 1))
    return np.stack([*channels, opacity], axis=-1).astype(np.uint8)


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return stream.getvalue()
