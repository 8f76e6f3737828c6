"""Results of many volumes that wait on disk, not in memory, until they are written."""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .results import Assessment

if TYPE_CHECKING:
    from .slice_pictures import SlicePicture

_SIZES = struct.Struct("<IIII")


class _Spool(Sequence):
    """Records in a temporary file, which is gone when the process ends; ``folder`` is for it."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  as long as this object
        self._places: list[tuple[int, int]] = []

    def _append(self, content: bytes) -> None:
        place = self._file.seek(0, 2)
        self._file.write(content)
        self._places.append((place, len(content)))

    def _content(self, index: int) -> bytes:
        place, size = self._places[index]
        self._file.seek(place)
        return self._file.read(size)

    def __len__(self) -> int:
        return len(self._places)

    def close(self) -> None:
        self._file.close()


class SpooledAssessments(_Spool):
    """A sequence of assessments, each read when it is asked for."""

    def append(self, assessment: Assessment) -> None:
        """Raises OSError where the disk is full."""
        self._append(json.dumps(assessment.to_dict()).encode())

    def __getitem__(self, index: Any) -> Assessment:
        return Assessment.from_dict(json.loads(self._content(index)))


class SpooledPictures(_Spool):
    """A sequence of volumes' pictures."""

    def append(self, pictures: Sequence[SlicePicture]) -> None:
        """Raises OSError where the disk is full."""
        parts = []
        for picture in pictures:
            overlay = picture.overlay or b""
            sizes = (picture.frame, picture.slice, len(picture.image), len(overlay))
            parts += [_SIZES.pack(*sizes), picture.image, overlay]
        self._append(b"".join(parts))

    def __getitem__(self, index: Any) -> tuple[SlicePicture, ...]:
        from .slice_pictures import SlicePicture

        content, place, found = self._content(index), 0, []
        while place < len(content):
            frame, number, image, overlay = _SIZES.unpack_from(content, place)
            place += _SIZES.size
            middle, end = place + image, place + image + overlay
            found.append(
                SlicePicture(frame, number, content[place:middle], content[middle:end] or None)
            )
            place = end
        return tuple(found)
