"""A DICOM series given by its files, wherever they lie and whatever lies beside them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import volumes
from .formats.volume_error import in_plain_words
from .volumes import Volume, VolumeError


@contextmanager
def series_folder(paths: Sequence[str | Path]) -> Iterator[Path]:
    """A folder that holds these files alone, as links where the system has them, for a while.

    Raises
    ------
    VolumeError : a file has gone
    """
    with tempfile.TemporaryDirectory(prefix="motionqa-series-") as name:
        folder = Path(name)
        for number, path in enumerate(paths):
            path = Path(path).absolute()
            with in_plain_words(path):
                path.stat()
                _link(path, folder / f"{number:06d}.dcm")
        yield folder


def read_series(paths: Sequence[str | Path]) -> Volume:
    """Read the series that these files make.

    Raises
    ------
    VolumeError : it is nothing that can be graded; the sentence calls it "The series"
    """
    with series_folder(paths) as folder:
        try:
            return volumes.read(folder)
        except VolumeError as error:
            raise VolumeError(str(error).replace(folder.name, "The series")) from error


def _link(path: Path, link: Path) -> None:
    try:
        link.symlink_to(path)
    except (OSError, NotImplementedError):  # Windows lets not everybody
        shutil.copyfile(path, link)
