"""Voxels on their way to the grading process: an .npy file, written a little at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np

_number = count()


class VoxelFile:
    """Writes (frames, slices, rows, columns) slice by slice, so that Slicer keeps answering.

    Parameters
    ----------
    voxels : an array of two to four of these axes, or one (slices, rows, columns) array for each
        frame; views into Slicer's memory will do, nothing is copied but what is being written
    folder : where to put it

    Raises
    ------
    ValueError : the frames are not alike, or are no numbers; a sentence for the user
    """

    def __init__(self, voxels: np.ndarray | Sequence[np.ndarray], folder: str | Path) -> None:
        if isinstance(voxels, np.ndarray):
            if not 2 <= voxels.ndim <= 4:
                raise ValueError(f"a volume has two to four axes; this one has {voxels.ndim}.")
            voxels = voxels.reshape((1,) * (4 - voxels.ndim) + voxels.shape)
        frames = [np.asarray(frame) for frame in voxels]
        if len({(frame.shape, frame.dtype) for frame in frames}) != 1 or frames[0].ndim != 3:
            raise ValueError("its frames are not all of one size and type.")
        if frames[0].dtype.kind not in "biuf":
            raise ValueError("its voxels are not plain numbers.")
        self.path = Path(folder) / f"motionqa-{os.getpid()}-{next(_number)}.npy"
        self._steps = self._written(frames)

    def write(self, seconds: float) -> bool:
        """Go on writing for about so long; True once all is written. OSError, as of a full disk."""
        deadline = time.perf_counter() + seconds
        return all(time.perf_counter() < deadline for _ in self._steps)

    def delete(self) -> None:
        self._steps.close()
        with suppress(OSError):  # Windows keeps it while the process that reads it ends
            self.path.unlink()

    def _written(self, frames: Sequence[np.ndarray]) -> Iterator[None]:
        first = frames[0]
        header = {
            "descr": np.lib.format.dtype_to_descr(first.dtype),
            "fortran_order": False,
            "shape": (len(frames), *first.shape),
        }
        with self.path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for frame in frames:
                for image in frame:
                    file.write(np.ascontiguousarray(image).data)
                    yield
