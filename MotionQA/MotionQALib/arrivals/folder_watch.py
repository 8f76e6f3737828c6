"""New files in a folder that others write to, found by looking again and again.

Network drives send no notifications, so that looking is what works everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..formats.file_kinds import is_dicom
from .image_facts import ImageFacts

State = tuple[int, int]
"""Size and time of change."""


class FolderWatch:
    """Finds DICOM images whose files have stopped changing.

    Parameters
    ----------
    folder : searched through all its subfolders, hidden ones left out
    but : folders in it that are passed over, as where results go
    say : called with a sentence about each file that is damaged
    identify : as in `ImageFacts.of`
    """

    def __init__(
        self,
        folder: str | Path,
        say: Callable[[str], None],
        but: tuple[Path, ...] = (),
        identify: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self._but = {path.resolve() for path in but}
        self._say, self._identify = say, identify
        self._seen: dict[int, State] = {}  # as they were when looked at last
        self._taken: dict[int, State] = {}  # as they were when they were read
        self._absent = False

    def look(self) -> list[ImageFacts]:
        """Images whose files are the same as at the last look, each once, changed ones again."""
        seen: dict[int, State] = {}
        found = []
        for path in self._files():
            try:
                status = path.stat()
            except OSError:
                continue  # it has just gone
            key, state = hash(str(path)), (status.st_size, status.st_mtime_ns)
            seen[key] = state
            if self._seen.get(key) == state and self._taken.get(key) != state:
                self._taken[key] = state
                if facts := self._facts(path):
                    found.append(facts)
        self._taken = {key: state for key, state in self._taken.items() if key in seen}
        self._seen = seen
        return found

    def beside(self, image: ImageFacts) -> list[ImageFacts]:
        """The images of the same series in the same folder."""
        if image.path is None:
            return []
        facts = (self._facts(path) for path in self._in(image.path.parent) if path.is_file())
        return [other for other in facts if other is not None and other.series == image.series]

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

    def _files(self) -> Iterator[Path]:
        try:
            for root, folders, names in os.walk(self.folder, onerror=_raise):
                here = Path(root)
                folders[:] = [
                    name
                    for name in folders
                    if not name.startswith(".") and (here / name).resolve() not in self._but
                ]
                yield from (here / name for name in names if not name.startswith("."))
            self._absent = False
        except OSError as error:
            if not self._absent:
                self._absent = True
                self._say(
                    f"The folder cannot be looked at ({error.strerror or error}); "
                    "it is tried again until it is there."
                )

    @staticmethod
    def _in(folder: Path) -> list[Path]:
        try:
            return sorted(folder.iterdir())
        except OSError:
            return []


def _raise(error: OSError) -> None:
    raise error
