"""`VolumeError` and the words it is told in."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class VolumeError(ValueError):
    """A file cannot be graded; its text is one sentence for the user and names the file."""


class MaskError(VolumeError):
    """A file is a segmentation by its content, which stands to an image and is none."""


def display_name(path: Path) -> str:
    """The file's name, safe to print and to write in UTF-8 whatever bytes it is made of."""
    name = os.fsencode(path.name or path.absolute()).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in name)


def refusal(path: Path, sentence: str) -> VolumeError:
    """A `VolumeError` that reads "<file name> <sentence>"."""
    return VolumeError(f"{display_name(path)} {sentence}")


def cut_short(path: Path, wanted: int, found: int) -> VolumeError:
    """The refusal of a file that holds fewer bytes than its header promises."""
    return refusal(
        path,
        f"is cut short: its header promises {_size(wanted)} of voxels, "
        f"but at most {_size(max(found, 0))} are there; copy or export it again.",
    )


def _size(count: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"


@contextmanager
def in_plain_words(path: Path) -> Iterator[None]:
    """Whatever a damaged file makes a reader raise becomes a `VolumeError`."""
    try:
        yield
    except VolumeError:
        raise
    except FileNotFoundError as error:
        missing = Path(os.fsdecode(error.filename)) if error.filename else path
        raise refusal(missing, "does not exist; check the path.") from error
    except PermissionError as error:
        raise refusal(path, "may not be read; ask for permission to read it.") from error
    except MemoryError as error:
        raise refusal(
            path, "needs more memory than is free; close other programs or crop it."
        ) from error
    except (EOFError, zlib.error) as error:
        raise refusal(path, "is cut short or damaged; copy or export it again.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise refusal(path, "has too long a path; move it to a shorter one.") from error
        reason = error.strerror or type(error).__name__
        raise refusal(path, f"cannot be read ({reason}); check the disk or copy it.") from error
    except Exception as error:  # parsers raise anything on bytes they did not expect
        reason = " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
        raise refusal(path, f"cannot be read ({reason}); copy or export it again.") from error
