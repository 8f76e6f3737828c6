"""Received objects on disk, under names that owe nothing to the network."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ..reading.disk import sync, sync_folder, write_all
from ..whole_files import replacing

SUFFIX = ".dcm"
_PART = ".part"

BUSY = 60.0
"""Seconds after an object has begun to be stored in which its series is not removed."""


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
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}
        self._revised: dict[str, dict[str, int]] = {}

    def path_of(self, series: str, instance: str, revision: int = 0) -> Path:
        revised = f".{revision}" if revision else ""
        return self.series_folder(series) / f"{digest(instance)}{revised}{SUFFIX}"

    def current(self, series: str, instance: str) -> Path | None:
        """Where the object is, in its last revision; None where it is not."""
        path = self.path_of(series, instance, self._revised_in(series).get(digest(instance), 0))
        return path if path.exists() else None

    def _revised_in(self, series: str) -> dict[str, int]:
        """Revisions by their objects' digests; a series' folder is searched but once."""
        known = self._revised.get(series)
        if known is None:
            revised = sorted(self.series_folder(series).glob(f"*.*{SUFFIX}"), key=revision_of)
            known = {path.name.partition(".")[0]: revision_of(path) for path in revised}
            known = self._revised.setdefault(series, known)
        return known

    def series_folder(self, series: str) -> Path:
        return self.folder / digest(series)

    def put(self, series: str, instance: str, content: bytes, revision: int = 0) -> Path:
        """Store an object; it is on disk when this returns. What was there of it is replaced.

        Parameters
        ----------
        revision : one more than the last one's where the picture is another: its name then tells

        Raises NoRoom or another OSError, and then nothing of it is left.
        """
        with self._lock:  # from here on the series is not removed
            self._used[digest(series)] = time.monotonic()
        self._check_room(len(content))
        path = self.path_of(series, instance, revision)
        new_folder = not path.parent.exists()
        path.parent.mkdir(exist_ok=True)
        with replacing(path, _PART) as part, part.open("xb", buffering=0) as file:
            write_all(file.fileno(), content)
            sync(file.fileno())
        sync_folder(path.parent)
        if new_folder:
            sync_folder(self.folder)
        if revision:
            self._revised_in(series)[digest(instance)] = revision
        for number in range(revision):
            self.path_of(series, instance, number).unlink(missing_ok=True)
        return path

    def files(self) -> Iterator[Path]:
        """All objects, series by series; pieces that a crash left behind are removed."""
        for folder in sorted(self.folder.iterdir()):
            if not folder.is_dir():
                continue
            for path in folder.glob(f"*{_PART}"):
                path.unlink(missing_ok=True)
            yield from _last_revisions(folder)

    def files_of(self, series: str) -> list[Path]:
        """The objects of one series."""
        folder = self.series_folder(series)
        return _last_revisions(folder) if folder.is_dir() else []

    def remove(self, series: str) -> bool:
        """Let go of a series' objects; False, and nothing is removed, while one of it arrives."""
        with self._lock:
            now = time.monotonic()
            self._used = {key: at for key, at in self._used.items() if now - at < BUSY}
            if digest(series) in self._used:
                return False
            shutil.rmtree(self.series_folder(series), ignore_errors=True)
            self._revised.pop(series, None)
        return True

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free - size < self.free_space:
            raise NoRoom(
                f"The disk has {free / 1e6:.0f} MB left, and {self.free_space / 1e6:.0f} MB of it "
                "stay free."
            )


def revision_of(path: Path) -> int:
    """Of a stored object: 0 unless another picture came under its UID."""
    _, _, revision = path.stem.partition(".")
    return int(revision) if revision.isdecimal() else 0


def _last_revisions(folder: Path) -> list[Path]:
    """Of each object the last revision: a crash may have left the one before beside it."""
    last: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}"), key=revision_of):
        last[path.name.partition(".")[0]] = path
    return sorted(last.values())


def digest(uid: str) -> str:
    """A file's name made of a UID, whatever it holds."""
    return hashlib.blake2b(uid.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
