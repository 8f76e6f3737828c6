"""A process that reads one volume, or many headers, for a program which must not wait for them.

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


@dataclass(frozen=True, kw_only=True)
class FindStack(protocol.Message):
    """Find the stack that the DICOM file ``file`` is of, among these files, by their headers."""

    file: str
    paths: list


@dataclass(frozen=True, kw_only=True)
class StackFound(protocol.Message):
    """The stack's files, and what they hold; no files where the one that was given is of none."""

    files: list = field(default_factory=list)
    slices: int = 0
    frames: int = 0
    series: int = 0


def geometry_of(volume: Volume) -> np.ndarray:
    """(4, 4) from (column, row, slice, 1) to RAS in mm; plain axes where nothing tells."""
    between, *pixel = volume.spacing
    to_ras = None if volume.origin is None else volume.origin.affine(between, tuple(pixel))
    if to_ras is None:
        return np.diag([-pixel[1], -pixel[0], between, 1.0])
    to_ras[:2] *= -1  # DICOM's axes point to the left and the back
    return to_ras


def find_stack(request: FindStack) -> StackFound:
    """Do what is asked; VolumeError where the stack cannot be understood."""
    from .formats.dicom_series import sort_files
    from .formats.dicom_stack import layout_of

    stack = sort_files(map(Path, request.paths)).stack_with(Path(request.file))
    if stack is None:
        return StackFound()
    layout = layout_of(stack.pictures)
    return StackFound(
        files=sorted(map(str, stack.files)),
        slices=len(layout.grid),
        frames=layout.n_frames,
        series=len(stack.series),
    )


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

    answer_one(_answer, VolumeError, "It could not be read")


def _answer(request: ReadVolume | FindStack) -> VolumeRead | StackFound:
    return find_stack(request) if isinstance(request, FindStack) else read_volume(request)
