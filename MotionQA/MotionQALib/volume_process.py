"""A process that reads one volume for a program which must not wait for it.

The voxels go into an .npy file that the program then maps; what belongs to them is said in a line.
"""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import protocol
from .formats.dicom import by_series
from .formats.dicom_stack import gap_of, pictures_of, stack_of
from .formats.kinds import is_dicom
from .formats.refusals import VolumeError
from .series_files import series_folder


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
    """

    output: str
    name: str
    series_uid: str
    to_ras: list


def geometry_of_series(path: Path, spacing: tuple[float, float, float]) -> np.ndarray:
    """(4, 4) from (column, row, slice, 1) to RAS in mm, of the series' own first image."""
    between, rows, columns = spacing
    to_ras = np.diag([-columns, -rows, between, 1.0])
    if not (path.is_dir() or is_dicom(path)):
        return to_ras
    folder = path if path.is_dir() else path.parent
    series = by_series(sorted(folder.iterdir()))
    uid = next((u for u, files in series.items() if path.is_dir() or path in files), None)
    stack = stack_of(path, pictures_of(path, series.get(uid, {})))
    first = stack[0][0]
    if first.place is None or first.directions is None:
        return to_ras
    across, down = first.directions[:3], first.directions[3:]
    normal = np.cross(across, down)
    to_ras = np.eye(4)
    to_ras[:3, 0] = across * columns
    to_ras[:3, 1] = down * rows
    to_ras[:3, 2] = normal / np.linalg.norm(normal) * abs(gap_of(stack))
    to_ras[:3, 3] = first.place
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
    return VolumeRead(
        output=output,
        name=volume.name,
        series_uid=volume.series_uid or "",
        to_ras=geometry_of_series(path, volume.spacing).ravel().tolist(),
    )


def main() -> None:
    from .worker import _own_streams

    requests, events = _own_streams()
    try:
        request = protocol.decode(requests.readline(protocol.LONGEST_LINE))
        answer: protocol.Message = read_volume(request)
    except VolumeError as error:
        answer = protocol.Failed(id=None, sentence=str(error))
    except Exception as error:  # the user is told, whatever it is
        traceback.print_exc()
        text = f"It could not be read ({type(error).__name__}: {error})."
        answer = protocol.Failed(id=None, sentence=text)
    events.write(answer.encode())
    events.flush()
    sys.exit(0)
