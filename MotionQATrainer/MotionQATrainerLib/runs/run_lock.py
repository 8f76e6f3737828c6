"""One training run in a folder at a time; and whether one is at work there.

The operating system frees a lock when its process ends, however it ends, so that a killed run
leaves nothing behind that looks alive. Process numbers cannot tell that: they are given again.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO

from MotionQALib.file_lock import lock

TRIES, PAUSE = 5, 0.1


class FolderLock:
    """An exclusive lock on a file, held until `release` or the end of the process."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock; False where another process holds it.

        Some cluster file systems know no locks: there, whoever asks gets it.
        """
        for attempt in range(TRIES):  # `is_held` elsewhere holds it for an instant
            if self._try():
                return True
            if attempt + 1 < TRIES:
                time.sleep(PAUSE)
        return False

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _try(self) -> bool:
        file = self.path.open("ab")
        if lock(file.fileno()) is False:
            file.close()
            return False
        self._file = file
        return True


def is_held(path: str | Path) -> bool:
    """Whether a process holds the lock at ``path``."""
    if not Path(path).exists():
        return False
    own = FolderLock(path)
    try:
        free = own._try()
    except OSError:  # the folder went meanwhile
        return False
    own.release()
    return not free
