"""Voxels in files beside their header: one, a list of them, or a numbered pattern."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .streams import byte_count, open_data
from .volume_error import refusal

_FILES_LIMIT = 10_000


def data_files(path: Path, named: str | None, stream) -> list[Path]:
    """The file that a header names, those on the lines that follow, or those of a pattern.

    Parameters
    ----------
    path : of the header, beside which the files lie
    named : what it says: a name, "LIST" and perhaps a number, or a pattern with first and last
        number and step; None or "LOCAL" where the voxels follow the header, which gives no file
    stream : of the header, behind that line
    """
    if named is None or named.upper() == "LOCAL":
        return []
    words = named.split()
    if words[:1] == ["LIST"]:
        lines = stream.read().decode("utf-8", "replace").splitlines()
        return [path.parent / line.strip() for line in lines if line.strip()]
    if len(words) >= 3 and re.fullmatch(r"[^%]*%0?\d?d[^%]*", words[0]):
        first, last, *step = map(int, words[1:4])
        if abs(last - first) > _FILES_LIMIT or step == [0]:
            raise refusal(path, "names impossibly many data files; export it again.")
        end = last + (1 if not step or step[0] > 0 else -1)
        return [path.parent / (words[0] % n) for n in range(first, end, *step)]
    return [path.parent / named]


def from_files(
    path: Path,
    files: list[Path],
    shape: tuple[int, ...],
    dtype: np.dtype,
    read: Callable[[Path, object, tuple[int, ...], np.dtype], np.ndarray],
    packed: bool = False,
) -> np.ndarray:
    """Join equal parts along the last axes.

    Parameters
    ----------
    read : from a file, its stream, a shape and the type to an array
    packed : the files are compressed, so that their sizes tell little
    """
    if not files or math.prod(shape) % len(files):
        raise refusal(
            path, f"shares its voxels among {len(files)} files unevenly; export it again."
        )
    if len(files) == 1:
        with open_data(path, files[0]) as stream:
            return read(files[0], stream, shape, dtype)
    part = (math.prod(shape) // len(files),)
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        open_data(path, missing)  # says so
    if not packed:
        byte_count(path, shape, dtype, sum(file.stat().st_size for file in files))
    parts = []
    for file in files:
        with open_data(path, file) as stream:
            parts.append(read(file, stream, part, dtype))
    return np.concatenate(parts).reshape(shape, order="F")
