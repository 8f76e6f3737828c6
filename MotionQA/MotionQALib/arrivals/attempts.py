"""How often the grading of a series was begun and not ended: it may be what ends the program.

A decoder can crash on a malformed image, the system can end what takes too much memory; whoever
starts the program again would have it end again and again, and nothing else be graded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..whole_files import write_whole

OFTEN = 2
"""After so many, a series is graded behind all others."""

TOO_OFTEN = 10
"""After so many, it is refused. Whoever kills the program at random does not come to it."""


class Attempts:
    """Counts in a small file, which outlives the program but need not outlive a power cut."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: dict[str, int] = {}
        with suppress(OSError, ValueError, AttributeError, TypeError):
            read = json.loads(path.read_text("utf-8"))
            self._counts = {str(key): int(count) for key, count in read.items()}

    def count(self, content: str) -> int:
        """How often exactly these images were begun and not ended."""
        return self._counts.get(content, 0)

    @contextmanager
    def begun(self, content: str) -> Iterator[None]:
        """Around the grading of a series; an exception is an end, too."""
        self._counts[content] = self.count(content) + 1
        self._write()
        try:
            yield
        finally:
            self._counts.pop(content, None)
            self._write()

    def _write(self) -> None:
        with suppress(OSError):  # a full disk is said by what is written next
            write_whole(self._path, json.dumps(self._counts))
