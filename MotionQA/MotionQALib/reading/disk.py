"""Bytes that are on the disk, and not only on their way, when a function returns."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path


def write_all(file: int, data: bytes) -> None:
    """Write all of it: one call of the system may take only a part."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def sync(file: int) -> None:
    """Bring an open file to the disk itself, not only to the drive's cache."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every file system has it
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    os.fsync(file)


def sync_folder(folder: Path) -> None:
    """Bring a folder's list of files to the disk, where the system lets a program do so."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives cannot
            raise
    finally:
        os.close(descriptor)
