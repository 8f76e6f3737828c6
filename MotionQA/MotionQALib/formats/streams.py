"""Bytes of a file, compressed or not, into an array without a second copy in memory."""

from __future__ import annotations

import io
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .volume_error import cut_short, display_name, refusal

DEFLATE_LIMIT = 1040
"""No deflate stream grows more than about 1032-fold, so a larger promise is a broken header."""

_CHUNK = 1 << 18


class Inflated(io.RawIOBase):
    """A gzip or zlib stream, inflated as it is read: a fifth faster than the gzip module.

    Checksums are checked where a member ends; `finish` reads on to there.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS + 32)  # either kind of header

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()

    def readinto(self, buffer) -> int:
        view = memoryview(buffer).cast("B")
        while len(view):
            if self._decoder.eof and not self._next_member():
                return 0
            data = self._decoder.unconsumed_tail or self._stream.read(_CHUNK)
            if not data:
                raise EOFError("the compressed stream ends early")
            inflated = self._decoder.decompress(data, len(view))
            if inflated:
                view[: len(inflated)] = inflated
                return len(inflated)
        return 0

    def _next_member(self) -> bool:
        rest = (self._decoder.unused_data or self._stream.read(_CHUNK)).lstrip(b"\0")
        if rest[:2] != b"\x1f\x8b":  # padding or what another program appended
            return False
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS + 32)
        self._stream.seek(-len(rest), io.SEEK_CUR)
        return True

    def finish(self) -> None:
        """Read to the end of the member, which raises if its checksum is wrong."""
        while not self._decoder.eof:
            data = self._decoder.unconsumed_tail or self._stream.read(_CHUNK)
            if not data:
                raise EOFError("the compressed stream ends early")
            self._decoder.decompress(data, _CHUNK)


def open_inflated(path: Path) -> BinaryIO | Inflated:
    """Open by content, not by suffix: renamed files are common."""
    stream = path.open("rb")
    compressed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    return Inflated(stream) if compressed else stream


def open_data(header: Path, data: Path) -> BinaryIO:
    """Open the data file that a header names: an ordinary one, not a device that never ends."""
    if not data.exists():
        raise refusal(
            header, f"needs {display_name(data)} beside it, which is missing; copy both files."
        )
    if not data.is_file():
        raise refusal(
            header, f"names {display_name(data)} for its data, which is no file; export it again."
        )
    return data.open("rb")


def byte_count(path: Path, shape: tuple[int, ...], dtype: np.dtype, available: int) -> int:
    """Bytes of an array, checked against the `available` ones before anything is allocated."""
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > available:
        raise cut_short(path, wanted, available)
    return wanted


def skip(path: Path, stream: BinaryIO, count: int) -> None:
    """Read past `count` bytes, however many, in little memory."""
    while count > 0:
        got = stream.read(min(count, _CHUNK))
        if not got:
            raise cut_short(path, count, 0)
        count -= len(got)


def read_array(
    path: Path, stream: BinaryIO, start: int, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Read voxels in the file's axes, the first fastest, in native byte order.

    Parameters
    ----------
    stream
        Where the voxels come from; `path` is the file that it reads.
    start
        Bytes between the stream's present position and the first voxel.
    """
    inflated = isinstance(stream, Inflated)
    stored = path.stat().st_size
    available = stored * DEFLATE_LIMIT if inflated else stored - stream.tell()
    data = bytearray(byte_count(path, shape, dtype, available - start))
    skip(path, stream, start)
    fill(path, stream, memoryview(data))
    if inflated:
        stream.finish()
    return as_array(data, shape, dtype)


def fill(path: Path, stream: BinaryIO, view: memoryview) -> None:
    """Fill `view` from the stream, or raise."""
    filled = 0
    while filled < len(view):
        got = stream.readinto(view[filled:])
        if not got:
            raise cut_short(path, len(view), filled)
        filled += got


def as_array(data: bytearray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Voxels over `data` in the file's axes (first fastest), swapped in place to native order."""
    voxels = np.frombuffer(data, dtype=dtype)
    if not voxels.dtype.isnative:
        voxels = voxels.byteswap(inplace=True).view(voxels.dtype.newbyteorder("="))
    return voxels.reshape(shape, order="F")
