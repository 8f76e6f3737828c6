"""A process that reads one volume for a program which must not wait for it.

The voxels go into an .npy file that the program then maps; what belongs to them is said in a line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import protocol
from .formats.volume_error import VolumeError
from .series_files import series_folder

if TYPE_CHECKING:
    from .volumes import Volume


@dataclass(frozen=True, kw_only=True)
class ReadVolume(protocol.Message):
    """Read a file or folder, or the DICOM series that several files make.

    The voxels are written to ``output``, an .npy file.
    """

    paths: list
    output: str


@dataclass(frozen=True, kw_only=True)
class VolumeRead(protocol.Message):
    """The voxels, (frames, slices, rows, columns), are in the file ``output``.

    ``to_ras`` is the matrix from (column, row, slice, 1) to mm right, forward and up, in 16
    numbers, row by row; where the file does not tell, rows go to the left and columns down.
    ``times`` are the frames', in ms after the R wave; empty where unknown. ``remarks`` are
    sentences about what was assumed, left out or doubted.
    """

    output: str
    name: str
    series_uid: str
    to_ras: list
    times: list = field(default_factory=list)
    remarks: list = field(default_factory=list)

    @classmethod
    def of(cls, volume: Volume, output: str = "") -> VolumeRead:
        return cls(
            output=output,
            name=volume.name,
            series_uid=volume.series_uid or "",
            to_ras=geometry_of(volume).ravel().tolist(),
            times=[] if volume.origin is None else volume.origin.frame_times,
            remarks=list(volume.remarks),
        )


def geometry_of(volume: Volume) -> np.ndarray:
    """(4, 4) from (column, row, slice, 1) to RAS in mm; plain axes where nothing tells."""
    between, *pixel = volume.spacing
    to_ras = None if volume.origin is None else volume.origin.affine(between, tuple(pixel))
    if to_ras is None:
        return np.diag([-pixel[1], -pixel[0], between, 1.0])
    to_ras[:2] *= -1  # DICOM's axes point to the left and the back
    return to_ras


def read_volume(request: ReadVolume) -> VolumeRead:
    """Do what is asked; VolumeError or OSError where it cannot be done."""
    paths = [Path(path) for path in request.paths]
    if len(paths) == 1:
        return _read(paths[0], request.output)
    with series_folder(paths) as folder:
        return _read(folder, request.output)


def _read(path: Path, output: str) -> VolumeRead:
    from . import volumes

    volume = volumes.read(path)
    np.save(output, volume.voxels)
    return VolumeRead.of(volume, output)


def main() -> None:
    from .single_request import answer_one

    answer_one(read_volume, VolumeError, "It could not be read")
