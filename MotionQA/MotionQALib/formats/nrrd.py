"""NRRD files, with their data inside (.nrrd) or beside them (.nhdr); headers by pynrrd."""

from __future__ import annotations

import bz2
import re
from pathlib import Path

import numpy as np

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
from .streams import Inflated, byte_count, read_array, skip
from .volume_error import refusal

_HEADER_LIMIT = 1 << 22
_MILLIMETRES = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 0.001, "µm": 0.001}
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": (
        *("longlong", "long long", "long long int", "signed long long", "signed long long int"),
        *("int64", "int64_t"),
    ),
    "u8": (
        *("ulonglong", "unsigned long long", "unsigned long long int"),
        *("uint64", "uint64_t"),
    ),
    "f4": ("float",),
    "f8": ("double",),
}
_SPATIAL_KINDS = {"domain", "space", "???", "none"}
_FRAME_KINDS = {"time", "list"}


def read(path: Path) -> StoredImage:
    """Read an NRRD file or the header of one."""
    with path.open("rb") as stream:
        header = _header(path, stream)
        frame_axis = _frame_axis(path, header)
        shape = image_shape(path, _stored_shape(path, header))
        dtype = real_dtype(path, _stored_dtype(path, header))
        spacing = _spacing(path, header)
        files = data_files(path, header.get("data file", header.get("datafile")), stream)
        if not files:
            voxels = _voxels(path, stream, header, shape, dtype)
        else:

            def read_part(file, data, part, kind):
                return _voxels(file, data, header, part, kind)

            packed = header["encoding"].lower() not in ("raw", "txt", "text", "ascii")
            voxels = from_files(path, files, shape, dtype, read_part, packed)
    if frame_axis is not None and frame_axis >= len(shape):
        frame_axis = None
    return StoredImage(
        rescaled(voxels), spacing, frame_axis=frame_axis, remarks=tuple(header["remarks"])
    )


def _header(path: Path, stream) -> dict:
    """Parse the lines up to the blank one, which leaves the stream at the data."""
    import nrrd

    if stream.read(4) != b"NRRD":
        raise refusal(
            path, "is not an NRRD file, whatever its name says; export it again or choose another."
        )
    stream.seek(0)
    lines = []
    while line := stream.readline(_HEADER_LIMIT).decode("utf-8", "replace").strip():
        lines.append(line)
        if stream.tell() > _HEADER_LIMIT:
            raise refusal(path, "has a header without an end; export it again.")
        if re.match(r"data ?file: *LIST", line):
            break  # the names of the files follow
    lines, twice = _once(lines)
    header = nrrd.read_header(lines)
    header["remarks"] = [
        f"Its header has the field '{field}' twice; the first is taken." for field in twice
    ]
    for field in ("type", "dimension", "sizes", "encoding"):
        if field not in header:
            raise refusal(path, f"lacks the field '{field}' in its header; export it again.")
    return header


def _once(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines without fields that a program wrote a second time, and which ones those are."""
    seen: set[str] = set()
    kept, twice = [], []
    for line in lines:
        field, colon, _value = line.partition(":")
        name = field.strip().lower().replace(" ", "")
        if colon and not line.startswith("#") and not line[len(field) :].startswith(":="):
            if name in seen:
                twice.append(field.strip())
                continue
            seen.add(name)
        kept.append(line)
    return kept, twice


def _stored_shape(path: Path, header: dict) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in header["sizes"])
    if len(sizes) != header["dimension"]:
        raise refusal(
            path,
            f"gives {len(sizes)} sizes for {header['dimension']} axes in its header; "
            "export it again.",
        )
    return sizes


def _stored_dtype(path: Path, header: dict) -> np.dtype:
    words = header["type"].lower()
    code = next((code for code, names in _TYPES.items() if words in names), None)
    if code is None:
        raise unknown_type(path, header["type"])
    dtype = np.dtype(code)
    return dtype.newbyteorder(">" if header.get("endian", "little").lower() == "big" else "<")


def _frame_axis(path: Path, header: dict) -> int | None:
    """The axis that is no direction in space; colour, vectors and complex pairs are refused."""
    kinds = [kind.lower() for kind in header.get("kinds", [])]
    frame_axis = None
    for axis, (kind, size) in enumerate(zip(kinds, header["sizes"], strict=False)):
        if kind == "complex" and size > 1:
            raise refusal(path, "holds complex voxels; save its magnitude instead.")
        if kind not in _SPATIAL_KINDS | _FRAME_KINDS and size > 1:
            raise colour(path)
        if kind not in _SPATIAL_KINDS:
            frame_axis = axis
    if frame_axis is None:
        steps = _directions(header)
        frame_axis = next((axis for axis, step in enumerate(steps) if step is None), None)
    return frame_axis


def _directions(header: dict) -> list[np.ndarray | None]:
    """Each axis's step in space; None for an axis that has none."""
    steps = header.get("space directions")
    if steps is None:
        return []
    return [
        None if step is None or np.isnan(step).all() else np.asarray(step, dtype=np.float64)
        for step in steps
    ]


def _spacing(path: Path, header: dict) -> tuple[float, ...]:
    sizes = header["sizes"]
    steps = _directions(header)
    if steps:
        spatial = [step for step, size in zip(steps, sizes, strict=False) if size > 1]
        spatial = [step for step in spatial if step is not None]
        if spatial:
            check_directions(path, np.stack(spatial, axis=1))
        spacing = [np.nan if step is None else float(np.linalg.norm(step)) for step in steps]
        unit = _MILLIMETRES.get(next(iter(header.get("space units", [])), "mm"), 1.0)
    else:
        spacing = [abs(float(size)) for size in header.get("spacings", [1.0] * len(sizes))]
        unit = _MILLIMETRES.get(next(iter(header.get("units", [])), "mm"), 1.0)
    spacing += [np.nan] * (len(sizes) - len(spacing))
    return tuple(size * unit for size in spacing)


def _voxels(
    path: Path, stream, header: dict, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    encoding = header["encoding"].lower()
    for _ in range(int(header.get("line skip", header.get("lineskip", 0)))):
        if not stream.readline():
            break
    start = int(header.get("byte skip", header.get("byteskip", 0)))
    if encoding == "raw":
        if start == -1:  # the data are the file's end
            size = path.stat().st_size
            start = size - byte_count(path, shape, dtype, size) - stream.tell()
        return read_array(path, stream, max(start, 0), shape, dtype)
    if encoding in ("gzip", "gz"):
        return read_array(path, Inflated(stream), max(start, 0), shape, dtype)
    if encoding in ("bzip2", "bz2"):
        return _read_bzip2(path, stream, max(start, 0), shape, dtype)
    if encoding in ("ascii", "text", "txt"):
        skip(path, stream, max(start, 0))
        return read_text(path, stream.read(), shape, dtype)
    raise refusal(path, f"is encoded as '{encoding}', which is not read; save it as gzip or raw.")


def _read_bzip2(path: Path, stream, start: int, shape: tuple[int, ...], dtype) -> np.ndarray:
    from .streams import as_array

    # bzip2 knows no useful limit of its expansion, so the data are let grow, never preallocated.
    with bz2.BZ2File(stream) as inflated:
        skip(path, inflated, start)
        count = byte_count(path, shape, dtype, 2**40)
        data = bytearray()
        while len(data) < count and (more := inflated.read(min(count - len(data), 1 << 20))):
            data += more
    byte_count(path, shape, dtype, len(data))
    return as_array(data, shape, dtype)


def read_text(path: Path, text: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Numbers written out, separated by white space."""
    numbers = np.array(text.split(), dtype=np.float64).astype(dtype.newbyteorder("="))
    byte_count(path, shape, numbers.dtype, numbers.nbytes)
    return numbers[: np.prod(shape)].reshape(shape, order="F")
