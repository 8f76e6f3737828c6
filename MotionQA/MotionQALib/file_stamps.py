"""All files that hold an image, and their state: whether what was made of it still holds.

An image is often more than the file that names it: a header with its voxels beside it, or a DICOM
series. What is kept of an image (resampled slices, a grade) is kept under the stamps of all.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from .formats.file_kinds import FORMATS, suffix_of

Stamp = tuple[str, int, int, int]
"""A file's path, its size in bytes, and when its content and its entry changed, in ns."""

_HEADER_LIMIT = 1 << 22
_MOST_FILES = 10_000
_NO_IMAGES = {".csv", ".tsv", ".xlsx", ".txt", ".md", ".log", ".json", ".jsonl", ".html", ".png"}
_NAMED = re.compile(
    rb"^(?:ElementDataFile[ \t]*=|data ?file:=?)[ \t]*([^\r\n]*)\r?\n?", re.I | re.M
)


def files_of(path: str | Path) -> list[Path]:
    """The files that hold an image, the given one among them; sorted.

    Parameters
    ----------
    path : as `volumes.read` takes it: a DICOM folder or image stands for its series, so that all
        files of the folder that may be DICOM count
    """
    path = Path(path)
    if path.is_dir():
        return _dicom_files(path)
    kind = FORMATS.get(suffix_of(path), "dicom")
    if kind == "dicom":
        return sorted({path, *_dicom_files(path.parent)})
    beside: list[Path] = []
    if kind in ("metaimage", "nrrd"):
        beside = _detached(path)
    elif suffix_of(path) == ".hdr":
        stem = path.name[: -len(".hdr")]
        beside = [path.with_name(stem + suffix) for suffix in (".img", ".img.gz")]
    return sorted({path, *(file for file in beside if file.is_file())})


def stamps(path: str | Path) -> tuple[Stamp, ...]:
    """State of each of an image's files; of one that cannot be looked at, the path alone.

    The time at which a file's entry changed tells of a copy that kept the size and the date.
    """
    found: list[Stamp] = []
    for file in files_of(path):
        try:
            state = file.stat()
        except OSError:
            found.append((str(file), -1, -1, -1))
        else:
            found.append((str(file), state.st_size, state.st_mtime_ns, state.st_ctime_ns))
    return tuple(found)


def _dicom_files(folder: Path) -> list[Path]:
    """What may be DICOM: all but hidden files, other images, and tables or texts beside them."""
    try:
        files = [file for file in folder.iterdir() if file.is_file()]
    except OSError:
        return []
    return sorted(
        file
        for file in files
        if not file.name.startswith(".")
        and file.suffix.lower() not in _NO_IMAGES
        and FORMATS.get(suffix_of(file), "dicom") == "dicom"
    )


def _detached(path: Path) -> list[Path]:
    """Data files that a MetaImage or NRRD header names: one, a list, or a numbered pattern."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEADER_LIMIT)
    except OSError:
        return []
    if head.startswith(b"NRRD"):
        # The header ends with a blank line; behind it, voxels may hold anything.
        head = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0] + b"\n"
    named = _NAMED.search(head)
    if named is None:
        return []
    value = named.group(1).decode("utf-8", "replace").strip()
    if value.upper() == "LOCAL":
        return []
    words = value.split()
    if words[:1] == ["LIST"]:
        lines = head[named.end() :].decode("utf-8", "replace").splitlines()
        names = [line.strip() for line in islice(lines, _MOST_FILES) if line.strip()]
    elif len(words) >= 3 and re.fullmatch(r"[^%]*%0?\d*d[^%]*", words[0]):
        names = [words[0] % number for number in _numbers(words[1:])]
    else:
        names = [value]
    return [path.parent / name for name in names if "\0" not in name]


def _numbers(words: list[str]) -> range:
    try:
        first, last, step = (int(word) for word in [*words[:2], *(words[2:3] or ["1"])])
    except ValueError:
        return range(0)
    step = max(step, 1)
    return range(first, min(last, first + _MOST_FILES * step) + 1, step)
