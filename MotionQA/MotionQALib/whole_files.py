"""Files that are there whole or not at all, whenever the process is killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(path: str | Path, suffix: str = ".part") -> Iterator[Path]:
    """A name beside ``path`` to write under; what is written takes its place at the end.

    Where that fails, what was at ``path`` is still there and nothing is left beside it. A link is
    followed: what it leads to is replaced. ``suffix`` is for writers that choose the format by it.
    """
    path = Path(path)
    target = path.resolve() if path.is_symlink() else path
    part = target.with_name(f".motionqa-{os.getpid()}-{id(target)}{suffix}")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written_whole(path: str | Path, newline: str | None = None) -> Iterator[TextIO]:
    """Open a UTF-8 file that takes its place only when all is written.

    What is no ordinary file, such as ``/dev/stdout``, is written directly.
    """
    # A file's name may hold bytes that are no text at all: they become question marks.
    how = {"encoding": "utf-8", "errors": "replace", "newline": newline}
    path = Path(path)
    if is_special(path):
        with path.open("a", **how) as file:
            yield file
        return
    with replacing(path) as part, part.open("w", **how) as file:
        yield file


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write bytes, or text as UTF-8 with its line ends as they are. Raises OSError."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path) as part:
        part.write_bytes(data)


def copy_whole(source: str | Path, target: str | Path) -> None:
    """Copy a file's content, into a folder that is made if need be. Raises OSError."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as part:
        shutil.copyfile(source, part)


def is_special(path: Path) -> bool:
    """Whether it is a pipe, a device or a program's output, which is not to be replaced."""
    return path.parts[:2] == ("/", "dev") or (path.exists() and not path.is_file())
