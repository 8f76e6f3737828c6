"""Received objects on disk, under names that owe nothing to the network."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..reading.disk import sync, sync_folder, write_all
from ..whole_files import replacing

SUFFIX = ".dcm"
_PART = ".part"


class NoRoom(OSError):  # noqa: N818  that is what the peer is told
    """The disk would be filled beyond what is to stay free."""


class ObjectStore:
    """A folder of series, each a folder of objects; both are named by digests of their UIDs.

    Parameters
    ----------
    folder : made where it is missing
    free_space : bytes of the disk that stay free
    """

    def __init__(self, folder: str | Path, free_space: int = 0) -> None:
        self.folder = Path(folder)
        self.free_space = free_space
        self.folder.mkdir(parents=True, exist_ok=True)

    def path_of(self, series: str, instance: str) -> Path:
        return self.series_folder(series) / f"{digest(instance)}{SUFFIX}"

    def series_folder(self, series: str) -> Path:
        return self.folder / digest(series)

    def put(self, series: str, instance: str, content: bytes) -> Path:
        """Store an object; it is on disk when this returns. The same object again replaces it.

        Raises NoRoom or another OSError, and then nothing of it is left.
        """
        self._check_room(len(content))
        path = self.path_of(series, instance)
        new_folder = not path.parent.exists()
        path.parent.mkdir(exist_ok=True)
        with replacing(path, _PART) as part, part.open("xb", buffering=0) as file:
            write_all(file.fileno(), content)
            sync(file.fileno())
        sync_folder(path.parent)
        if new_folder:
            sync_folder(self.folder)
        return path

    def files(self) -> Iterator[Path]:
        """All objects, series by series; pieces that a crash left behind are removed."""
        for folder in sorted(self.folder.iterdir()):
            if not folder.is_dir():
                continue
            for path in sorted(folder.iterdir()):
                if path.suffix == _PART:
                    path.unlink(missing_ok=True)
                elif path.suffix == SUFFIX:
                    yield path

    def files_of(self, series: str) -> list[Path]:
        """The objects of one series."""
        folder = self.series_folder(series)
        return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []

    def remove(self, series: str) -> None:
        """Let go of a series' objects."""
        shutil.rmtree(self.series_folder(series), ignore_errors=True)

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free - size < self.free_space:
            raise NoRoom(
                f"The disk has {free / 1e6:.0f} MB left, and {self.free_space / 1e6:.0f} MB of it "
                "stay free."
            )


def digest(uid: str) -> str:
    """A file's name made of a UID, whatever it holds."""
    return hashlib.blake2b(uid.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
