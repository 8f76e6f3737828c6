"""Files that stand for others which are not here, and downloads that failed."""

from __future__ import annotations

import os
from pathlib import Path

from .volume_error import refusal


def refuse_pointer(path: Path) -> None:
    """Refuse what only points to an image: no reader could say so."""
    if path.is_symlink() and not path.exists():
        target = path.readlink()
        if "annex" in target.parts:
            raise _annexed(path)
        if os.path.lexists(path.parent / target):
            return  # a link to itself, which the system says
        raise refusal(path, f"is a link to {target}, which is missing; copy the file itself.")
    if not path.is_file():  # a pipe would wait for ever
        return
    try:
        with path.open("rb") as stream:
            start = stream.read(512)
    except OSError:  # said better by whoever reads it
        return
    text = start.lstrip().lower()
    if text.startswith(b"version https://git-lfs"):
        raise refusal(
            path,
            "is a Git LFS pointer, not the image itself; fetch it with git lfs pull.",
        )
    if b"annex/objects/" in start[:512] and len(start) < 512:
        raise _annexed(path)
    if text.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise refusal(path, "is a web page, not an image; download it again.")


def _annexed(path: Path):
    return refusal(
        path,
        "is a git-annex link whose content is not here; fetch it with git annex get (DataLad: "
        "datalad get).",
    )
