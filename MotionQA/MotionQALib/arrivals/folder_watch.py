"""New files in a folder that others write to, found by looking again and again.

Network drives send no notifications, so that looking is what works everywhere. They may also hang:
each folder and each header is waited for so long, and the others are gone on with.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..formats.file_kinds import is_dicom
from .image_facts import ImageFacts
from .slow_calls import SlowCalls, StillWaiting

State = tuple[int, int]
"""Size and time of change."""

PATIENCE = 10.0
"""Seconds that a folder or a header is waited for."""


class _Listing(NamedTuple):
    files: list[tuple[Path, State]]
    folders: list[Path]


class FolderWatch:
    """Finds DICOM images whose files have stopped changing.

    Parameters
    ----------
    folder : searched through all its subfolders, hidden ones left out
    but : folders in it that are passed over, as where results go
    say : called with a sentence about each file that is damaged
    identify : as in `ImageFacts.of`

    Attributes
    ----------
    trouble : what keeps the last look from seeing all, in a sentence; empty where nothing does
    hanging : whether that is because a share does not answer
    """

    def __init__(
        self,
        folder: str | Path,
        say: Callable[[str], None],
        but: tuple[Path, ...] = (),
        identify: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.trouble, self.hanging = "", False
        self._but = {path.resolve() for path in but}
        self._say, self._identify = say, identify
        self._seen: dict[int, State] = {}  # as they were when looked at last
        self._taken: dict[int, State] = {}  # as they were when they were read
        self._waited = self._unsure = False  # for a folder; whether a drive hangs or is slow
        self._calls, self._calls_beside = SlowCalls(PATIENCE), SlowCalls(PATIENCE)

    def look(self) -> list[ImageFacts]:
        """Images whose files are the same as at the last look, each once, changed ones again."""
        return list(self.images())

    def images(self) -> Iterator[ImageFacts]:
        """As `look`, one after the other: a file that is waited for holds up none before it."""
        seen: dict[int, State] = {}
        troubles: list[str] = []
        hanging, self._waited, self._unsure = 0, False, False
        for path, state in self._files(troubles):
            key = hash(str(path))
            seen[key] = state
            if self._seen.get(key) == state and self._taken.get(key) != state:
                try:
                    facts = self._calls.get(path, partial(self._facts, path), state)
                except StillWaiting as waiting:
                    hanging += waiting.late
                    self._unsure |= not waiting.late
                    continue
                self._taken[key] = state
                if facts is not None:
                    yield replace(facts, stamp=state)
        if hanging:
            files = "Several files" if hanging > 1 else "A file"
            troubles.append(
                f"{files} in the watched folder cannot be read yet: the drive or share does not "
                "answer. What can be read is graded."
            )
        if self._waited:  # what was not seen may be there all the same
            seen = {**self._seen, **seen}
        self._taken = {key: state for key, state in self._taken.items() if key in seen}
        self._seen, self.hanging = seen, self._calls.unanswered > 0
        if troubles or not self._unsure:
            self.trouble = " ".join(troubles)

    def beside(self, image: ImageFacts) -> list[ImageFacts]:
        """The images of the same series in the same folder, as far as they can be read."""
        if image.path is None:
            return []
        folder, found = image.path.parent, []
        try:
            files = self._calls_beside.get(folder, partial(_files_in, folder))
            for path in files:
                other = self._calls_beside.get(path, partial(self._facts, path))
                if other is not None and other.series == image.series:
                    found.append(other)
        except StillWaiting:
            pass  # said by `trouble`; what is missing comes when it has been read
        return found

    def _facts(self, path: Path) -> ImageFacts | None:
        if not is_dicom(path):
            return None
        try:
            return ImageFacts.of_file(path, self._identify)
        except ValueError as error:
            if "no image" not in str(error):
                self._say(f"A file was passed over: {error}")
        except OSError as error:
            self._say(f"A file cannot be read ({error.strerror or error}); it was passed over.")
        return None

    def _files(self, troubles: list[str]) -> Iterator[tuple[Path, State]]:
        """Regular files and their states, folder by folder; why others are missing is added."""
        folders, hanging, refused, stuck = [self.folder], 0, 0, self.folder
        while folders:
            folder = folders.pop()
            try:
                listing = self._calls.get(folder, partial(self._listing, folder))
            except StillWaiting as waiting:
                hanging += waiting.late
                stuck, self._waited = folder, True
                self._unsure |= not waiting.late
            except OSError as error:
                if folder == self.folder:
                    troubles.append(
                        f"The folder cannot be looked at ({error.strerror or error}); "
                        "it is tried again until it is there."
                    )
                elif not isinstance(error, FileNotFoundError):  # it has not just gone
                    refused += 1
            else:
                folders += listing.folders
                yield from listing.files
        if hanging:
            where = "A folder in the watched one" if stuck != self.folder else "The watched folder"
            troubles.append(
                f"{where} does not answer: its drive or share hangs. It is tried again, and what "
                "can be read is graded."
            )
        if refused:
            troubles.append(f"{refused} of the folders in the watched one cannot be looked at.")

    def _listing(self, folder: Path) -> _Listing:
        found = _Listing([], [])
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        for name in names:
            path = folder / name
            try:
                status = path.stat()
            except OSError:
                continue  # it has just gone
            if stat.S_ISREG(status.st_mode):
                found.files.append((path, (status.st_size, status.st_mtime_ns)))
            elif (
                stat.S_ISDIR(status.st_mode)
                and not path.is_symlink()
                and path.resolve() not in self._but
            ):
                found.folders.append(path)
        return found


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
