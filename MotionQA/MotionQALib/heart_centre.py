"""Where the heart is in a volume, so that the network's input is cropped about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .heart_locator import locate
from .preprocessing import Position

if TYPE_CHECKING:
    from .volumes import Volume


def heart_centre(volume: Volume, locator: str = "free") -> Position | None:
    """Row and column of the heart, in pixels; None where nothing tells. Training uses it too.

    In a cine the heart is what changes most from frame to frame: the centroid of the temporal
    variance, kept within the middle half of the image. A single frame does not tell that way: a
    small network, trained on masks of hearts, finds it: the one of `heart_locator` that is named.
    """
    if volume.n_frames >= 3:
        return _where_it_beats(volume)
    kept = ~volume.blank.all(axis=0)
    stack = np.mean(volume.voxels[:, kept], axis=0, dtype=np.float32)
    if not len(stack) or not np.ptp(stack[len(stack) // 2]) > 0:
        return None
    return locate(stack, volume.spacing[1:], locator)


def _where_it_beats(volume: Volume) -> Position | None:
    step = max(1, min(volume.voxels.shape[2:]) // 128)
    every = max(1, volume.n_frames // 10)
    whole = ~volume.blank[::every].any(axis=0)  # a slice that lacks a frame seems to change most
    if not whole.any():
        return None
    frames = volume.voxels[::every, :, ::step, ::step]
    sample = np.asarray(frames if whole.all() else frames[:, whole], dtype=np.float32)
    change = sample.std(axis=0).mean(axis=0)
    change = np.clip(change - np.quantile(change, 0.9), 0, None)
    total = change.sum()
    if not total > 0:
        return None
    centre = []
    for axis, length in enumerate(volume.voxels.shape[2:]):
        profile = change.sum(axis=1 - axis)
        centroid = float(profile @ np.arange(len(profile))) / float(total) * step
        centre.append(float(np.clip(centroid, length / 4, 3 * length / 4)))
    return centre[0], centre[1]
