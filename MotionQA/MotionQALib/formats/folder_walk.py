"""Through folders, also where they are links, and never in a circle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

LEFTOVERS = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"}
"""Folders that systems leave behind; they hold no images of anybody's."""


def files_under(folder: Path) -> Iterator[Path]:
    """Files of a folder and its subfolders, in order; those in hidden folders are left out."""
    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        kept = []
        for name in sorted(folders):
            if name.startswith(".") or name in LEFTOVERS:
                continue
            try:
                status = os.stat(os.path.join(root, name))  # noqa: PTH116, PTH118  of thousands
            except OSError:
                continue  # a link to nowhere
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            yield Path(root, name)


def _raise(error: OSError) -> None:
    raise error
