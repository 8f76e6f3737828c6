"""MetaImage: .mha with its data inside, .mhd with one or several data files beside it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from .nrrd import read_text
from .several_files import data_files, from_files
from .stored import (
    StoredImage,
    check_directions,
    colour,
    image_shape,
    real_dtype,
    rescaled,
    unknown_type,
)
from .streams import Inflated, byte_count, read_array
from .volume_error import refusal

_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_LINE_LIMIT = 1 << 16
_LINES_LIMIT = 10_000


def read(path: Path) -> StoredImage:
    """Read a MetaImage file or the header of one."""
    with path.open("rb") as stream:
        header = _header(path, stream)
        stored = _numbers(header["dimsize"], int)
        if len(stored) != int(header["ndims"]):
            raise refusal(path, "gives not as many sizes as axes in its header; export it again.")
        if int(header.get("elementnumberofchannels", 1)) > 1:
            raise colour(path)
        shape = image_shape(path, stored)
        dtype = real_dtype(path, _dtype(path, header))
        spacing = _spacing(path, header, shape)
        files = data_files(path, header["elementdatafile"], stream)
        if not files:
            voxels = _voxels(path, stream, header, shape, dtype)
        else:

            def read_part(file, data, part, kind):
                return _voxels(file, data, header, part, kind)

            packed = _is_true(header, "compresseddata")
            voxels = from_files(path, files, shape, dtype, read_part, packed)
    slope = float(header.get("elementtointensityfunctionslope", 1))
    offset = float(header.get("elementtointensityfunctionoffset", 0))
    return StoredImage(rescaled(voxels, slope, offset), spacing)


def _header(path: Path, stream) -> dict[str, str]:
    """Read "Key = value" lines up to ElementDataFile, which comes last; keys in lower case."""
    header: dict[str, str] = {}
    for _ in range(_LINES_LIMIT):
        line = stream.readline(_LINE_LIMIT)
        key, equals, value = line.decode("utf-8", "replace").partition("=")
        if not line or (line.strip() and not equals):
            break
        header[key.strip().lower()] = value.strip()
        if "elementdatafile" in header:
            break
    if not header.keys() & {"objecttype", "ndims", "dimsize"}:
        raise refusal(
            path,
            "is not a MetaImage file, whatever its name says; export it again or choose another.",
        )
    for key in ("NDims", "DimSize", "ElementType", "ElementDataFile"):
        if key.lower() not in header:
            raise refusal(path, f"lacks the field '{key}' in its header; export it again.")
    return header


def _numbers(text: str, kind: type) -> tuple:
    return tuple(kind(number) for number in text.split())


def _is_true(header: dict[str, str], *keys: str) -> bool:
    return any(header.get(key, "false").lower() in ("true", "1", "t") for key in keys)


def _dtype(path: Path, header: dict[str, str]) -> np.dtype:
    name = header["elementtype"].upper()
    if name.endswith("_ARRAY"):
        raise colour(path)
    if name not in _TYPES:
        raise unknown_type(path, name)
    big = _is_true(header, "binarydatabyteordermsb", "elementbyteordermsb")
    return np.dtype(_TYPES[name]).newbyteorder(">" if big else "<")


def _spacing(path: Path, header: dict[str, str], shape: tuple[int, ...]) -> tuple[float, ...]:
    axes = int(header["ndims"])
    matrix = header.get("transformmatrix", header.get("orientation", header.get("rotation")))
    if matrix and len(directions := _numbers(matrix, float)) == axes**2:
        # Row i of the matrix is the direction of axis i.
        rows = np.reshape(directions, (axes, axes))[: min(3, len(shape))]
        check_directions(path, rows.T)
    written = header.get("elementspacing", header.get("elementsize", "1 " * axes))
    spacing = tuple(map(abs, _numbers(written, float)))
    return spacing + (math.nan,) * (axes - len(spacing))


def _voxels(
    path: Path, stream, header: dict[str, str], shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    start = int(header.get("headersize", 0))
    if start == -1:  # the data are the file's end
        size = path.stat().st_size
        start = size - byte_count(path, shape, dtype, size) - stream.tell()
    start = max(start, 0)
    if _is_true(header, "compresseddata"):
        stream.seek(start, 1)
        return read_array(path, Inflated(stream), 0, shape, dtype)
    if header.get("binarydata", "true").lower() in ("false", "0", "f"):
        return read_text(path, stream.read(), shape, dtype)
    return read_array(path, stream, start, shape, dtype)
