"""What can go wrong in a reader study; every message is a sentence for a person.

A message may name an image, so a blinded reader is told ``blinded`` instead (`Blinding.error`).
What speaks of the study's own files alone is a `StudyError`, and is told to everybody.
"""

from __future__ import annotations


class ReadingError(Exception):
    """A study, list or table that cannot be used as asked; the message says what to do.

    Parameters
    ----------
    blinded : what a reader is told who must not know which image it is
    """

    blinded = "A file cannot be used as asked. Which one stays hidden, as the study is blinded."

    def __init__(self, message: str, *, blinded: str | None = None) -> None:
        super().__init__(message)
        if blinded is not None:
            self.blinded = blinded


class MaskFound(ReadingError):  # noqa: N818 - it is no fault
    """A file is a segmentation, which nobody reads."""


class StudyError(ReadingError):
    """It speaks of a study's settings, readers and logs, and names no image."""

    def __init__(self, message: str) -> None:
        super().__init__(message, blinded=message)


class Hidden(StudyError):  # noqa: N818 - that is what the reader is told
    """Other readers' scores, or names, that must not be seen yet; nothing was shown or written."""


class NotSaved(StudyError):  # noqa: N818
    """A score that is *not* on disk; keep it on screen and save it elsewhere or again."""


class InUse(StudyError):  # noqa: N818
    """Somebody else has the log open for writing; nothing was changed."""
