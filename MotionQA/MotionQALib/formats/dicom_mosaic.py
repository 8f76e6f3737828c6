"""Siemens' mosaics: all slices of one moment as tiles of one image."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from .dicom_header import CSA_IMAGE, MOSAIC_COUNT
from .dicom_picture import Picture
from .volume_error import refusal


def unpacked(path: Path, picture: Picture, voxels: np.ndarray) -> tuple[np.ndarray, float, str]:
    """(frames, 1, rows, columns) of tiles to (frames, slices, rows, columns).

    Returns also the mm between slices and a remark. Refuses a mosaic whose header does not tell
    its tiles.
    """
    rows, columns = voxels.shape[2:]
    count = _count(picture)
    if count is None:
        count = _by_matrix(picture, rows, columns)
    across = math.ceil(math.sqrt(count)) if count else 0
    if not count or count < 2 or rows % across or columns % across or voxels.shape[1] != 1:
        raise refusal(
            path,
            "is a mosaic (all slices as tiles of one image) whose header does not tell its tiles; "
            "export the slices as images of their own (on Siemens scanners: mosaic off).",
        )
    tile = rows // across, columns // across
    parts = voxels[:, 0].reshape(len(voxels), across, tile[0], across, tile[1])
    slices = parts.transpose(0, 1, 3, 2, 4).reshape(len(voxels), across**2, *tile)[:, :count]
    said = f"It is a mosaic: its {count} tiles of {tile[0]} × {tile[1]} pixels were taken apart."
    return np.ascontiguousarray(slices), abs(picture.gap), said


def _count(picture: Picture) -> int | None:
    """The number of tiles that a private field names."""
    given = picture.file.number(MOSAIC_COUNT)
    if given >= 1:
        return int(given)
    csa = picture.file.value(CSA_IMAGE)
    if not isinstance(csa, bytes):
        return None
    start = csa.find(b"NumberOfImagesInMosaic")
    if start < 0:
        return None
    # A name of 64 bytes, five numbers of 4 bytes, a head of 16 bytes an item, then its text.
    found = re.search(rb"(\d+)\s*[\0 ]", csa[start + 100 : start + 400])
    return int(found[1]) if found else None


def _by_matrix(picture: Picture, rows: int, columns: int) -> int | None:
    """As many tiles as fit, where the header gives the matrix of one."""
    from .dicom_header import numbers

    matrix = [int(n) for n in numbers(picture.file.value("AcquisitionMatrix")) if n > 0]
    if len(matrix) != 2:
        return None
    for height, width in (matrix, matrix[::-1]):
        if rows % height == 0 and columns % width == 0 and rows // height == columns // width:
            return (rows // height) ** 2
    return None
