"""Outputs that a command line names: whether they can be written, before hours are spent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from .batch import ResumeFile
from .checkpoints import SUFFIX
from .formats.file_kinds import is_dicom, suffix_of
from .whole_files import is_special


class UsageError(ValueError):
    """A command line that cannot be obeyed; the message says what to change."""


def check_files(outputs: Sequence[str], *, inputs: Sequence[str]) -> None:
    """Raise UsageError for outputs that cannot be written, or that are two or an input."""
    read = set(map(os.path.realpath, inputs))
    seen = set()
    for path in outputs:
        try:
            if is_special(Path(path)) and not Path(path).is_dir():
                continue
            target = Path(os.path.realpath(path))
            if str(target) in read:
                raise UsageError(f"{path} is to be read, and would be overwritten; name another.")
            if target in seen:
                raise UsageError(f"{path} is named for two outputs; name another.")
            seen.add(target)
            _check_writable(path, target)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from None


def _check_writable(path: str, target: Path) -> None:
    if target.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it.")
    if target.is_symlink():
        raise UsageError(f"{path} cannot be written: it is a link that leads to itself.")
    if target.is_file() and (suffix_of(target) or target.suffix == SUFFIX or is_dicom(target)):
        raise UsageError(
            f"{path} is an image or a checkpoint, not to be overwritten; name another."
        )
    if not target.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {target.parent}.")
    if target.exists() and not os.access(target, os.W_OK):
        raise UsageError(f"{path} cannot be written: it is write-protected.")
    with tempfile.TemporaryFile(dir=target.parent), suppress(FileNotFoundError):
        ResumeFile.beside(target).lstat()  # the longest name that is made of it may be too long


def need_package(package: str, what: str) -> None:
    """Raise UsageError where a package of the extra *dicom* is missing that ``what`` needs."""
    if find_spec(package) is None:
        raise UsageError(f"{what} needs {package}: pip install 'motionqa[dicom]'.")
