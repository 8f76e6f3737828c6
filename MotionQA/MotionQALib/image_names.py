"""Which image a name in a table means: one rule for training and for reader studies.

    names = ImageNames(root)
    for path in files:
        names.add(path, path)
    matches = names.match(["P001-1-ED", r"D:\\cmr\\P002-1-ED.nii.gz", "./P003-1-ED.nii"])
    matches.found                                   # name -> path

A name is a file's, or a path's last part that tells it apart, with or without the suffix. A path
from elsewhere, as another computer or Windows wrote it, means the file whose whole path below the
root it ends with. Letters may be composed or not (macOS), and letter case decides only between
files that differ in nothing else.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from .formats.file_kinds import suffix_of
from .spreadsheet_files import original
from .subjects import without_suffix

Key = TypeVar("Key", bound=Hashable)
Parts = tuple[str, ...]

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\|//")


@dataclass
class Matches(Generic[Key]):
    """What names mean.

    Parameters
    ----------
    found : name -> image
    missing : names of no image
    several : name -> images that it fits alike
    same : pairs of names that mean one image
    elsewhere : names of `found` that are paths from another place
    """

    found: dict[str, Key] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    several: dict[str, list[Key]] = field(default_factory=dict)
    same: list[tuple[str, str]] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def fitting(self, name: str) -> list[Key]:
        """The images that a name may mean: one where it is plain, several, or none."""
        first = next((one for one, other in self.same if other == name), name)
        return [self.found[first]] if first in self.found else self.several.get(name, [])


@dataclass(frozen=True)
class _Image(Generic[Key]):
    key: Key
    path: Parts  # the whole path, its last part without suffix
    inner: int  # how many of these lie below the root
    suffix: str


class ImageNames(Generic[Key]):
    """Images by all that a table may call them.

    Parameters
    ----------
    root : the folder above all of them
    """

    def __init__(self, root: str | Path = "") -> None:
        self._root = _parts(str(Path(root).absolute())) if str(root) else ()
        self._by_last: dict[str, list[_Image[Key]]] = {}

    def add(self, key: Key, path: str | Path | None, *further: str) -> None:
        """Add an image by its path, absolute or below the root, and further names of it."""
        for name in further:
            if parts := _parts(name):
                self._add(key, self._root + parts, len(parts), suffix_of(Path(parts[-1])))
        if path is None:
            return
        parts = _parts(str(path))
        if parts[: len(self._root)] != self._root:
            parts = self._root + parts
        self._add(key, parts, len(parts) - len(self._root), suffix_of(Path(parts[-1])))

    def _add(self, key: Key, parts: Parts, inner: int, suffix: str) -> None:
        image = _Image(key, (*parts[:-1], without_suffix(parts[-1])), inner, suffix)
        self._by_last.setdefault(_folded(image.path[-1]), []).append(image)

    def match(self, names: Iterable[str]) -> Matches[Key]:
        """The image of each name."""
        names = list(dict.fromkeys(names))
        matches: Matches[Key] = Matches()
        claims: dict[Key, list[tuple[str, bool, int]]] = {}
        for name in names:
            keys, whole, shared = self._fitting(name)
            if len(keys) > 1:
                matches.several[name] = keys
            elif keys:
                claims.setdefault(keys[0], []).append((name, whole, shared))
        for key, claimants in claims.items():
            first, *others = _winners(claimants) or [None]
            if first is not None:
                matches.found[first] = key
            matches.same += [(first, name) for name in others]
        is_whole = {name: whole for of in claims.values() for name, whole, _ in of}
        matches.found = {name: matches.found[name] for name in names if name in matches.found}
        matches.elsewhere = [name for name in matches.found if not is_whole[name]]
        known = {*matches.found, *matches.several, *(name for _, name in matches.same)}
        matches.missing = [name for name in names if name not in known]
        return matches

    def _fitting(self, name: str) -> tuple[list[Key], bool, int]:
        """Images that fit best, whether all of the name is theirs, and how many parts are."""
        wanted, suffix = _wanted(name)
        if not wanted:
            return [], True, 0
        best: dict[Key, tuple] = {}
        for image in self._by_last.get(_folded(wanted[-1]), ()):
            shared, exact = _shared(wanted, image.path)
            whole = shared == len(wanted)
            if not whole and not (_is_absolute(name) and shared >= image.inner):
                continue
            rank = (whole, shared, suffix in ("", image.suffix), exact)
            best[image.key] = max(rank, best.get(image.key, rank))
        if not best:
            return [], True, 0
        top = max(best.values())
        keys = [key for key, rank in best.items() if rank == top]
        return keys, top[0], top[1]


def _wanted(name: str) -> tuple[Parts, str]:
    parts = _parts(name)
    if not parts:
        return (), ""
    return (*parts[:-1], without_suffix(parts[-1])), suffix_of(Path(parts[-1]))


def _parts(name: str) -> Parts:
    """Parts of a path as any system writes it, without a drive, ``.`` and ``..``."""
    text = unicodedata.normalize("NFC", name.strip()).replace("\\", "/")
    text = original(text)  # exports keep spreadsheets from running it
    text = re.sub(r"^[A-Za-z]:/", "/", text)
    return tuple(p for p in posixpath.normpath(text).split("/") if p not in ("", ".", ".."))


def _is_absolute(name: str) -> bool:
    return name.strip().startswith("/") or bool(_WINDOWS.match(name.strip()))


def _folded(part: str) -> str:
    return part.casefold()


def _shared(wanted: Parts, path: Parts) -> tuple[int, int]:
    """How many last parts are alike but for letter case, and how many are to the letter."""
    shared = exact = 0
    for one, other in zip(reversed(wanted), reversed(path), strict=False):
        if one != other and _folded(one) != _folded(other):
            break
        shared += 1
        exact += one == other
    return shared, exact


def _winners(claimants: list[tuple[str, bool, int]]) -> list[str]:
    """Who of several names of one image means it: those that are wholly its own; else, of paths
    from elsewhere, the one that shares most folders with it, or nobody."""
    whole = [name for name, is_whole, _ in claimants if is_whole]
    if whole:
        return whole
    most = max(shared for _, _, shared in claimants)
    nearest = [name for name, _, shared in claimants if shared == most]
    return nearest if len(nearest) == 1 else []
