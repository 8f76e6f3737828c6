"""What can go wrong in a reader study; every message is a sentence for the reader."""

from __future__ import annotations


class ReadingError(Exception):
    """A study, list or log that cannot be used as asked; the message says what to do."""


class NotSaved(ReadingError):  # noqa: N818 - that is what the reader is told
    """A score that is *not* on disk; keep it on screen and save it elsewhere or again."""


class InUse(ReadingError):  # noqa: N818
    """Somebody else has the log open for writing; nothing was changed."""
