"""The operating system's lock on an open file, which ends with its process, however that ends."""

from __future__ import annotations

import os

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

_FAR = 1 << 20  # Windows locks bytes against reading, too: one that is never there


def lock(file: int) -> bool | None:
    """Lock an open file for this process alone, without waiting; closing the file unlocks it.

    Returns True, False if another has it, and None where the drive knows no locks.
    """
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            os.lseek(file, _FAR, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True
