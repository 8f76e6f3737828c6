"""What ``motionqa`` says: grades on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import numpy as np

from .plain_text import plain
from .results import Assessment

NARROWEST, WIDEST = 8, 48
"""Characters of the column of names."""


class CommandOutput:
    """Prints lines; goes on in silence when nobody reads them any more, as after ``| head``."""

    def __init__(self) -> None:
        self._width = NARROWEST
        self._progress_shown = False
        for stream in (sys.stdout, sys.stderr):
            # A terminal that knows no such letter shows another, and nothing breaks off.
            with suppress(AttributeError, ValueError):
                stream.reconfigure(errors="replace")

    def say(self, text: str) -> None:
        _print(plain(text, keep="\n\t"), sys.stdout)

    def complain(self, text: str) -> None:
        self.end_progress()
        _print(plain(text, keep="\n\t"), sys.stderr)

    def say_to_person(self, text: str) -> None:
        """Say what only someone at a terminal wants to know."""
        if _is_terminal(sys.stderr):
            _print(text, sys.stderr)

    def begin_table(self, names: Sequence[str]) -> None:
        longest = max(map(len, names), default=0)
        self._width = min(max(longest, NARROWEST), WIDEST)
        self.say(f"{'volume':<{self._width}}  motion     score  expected  slices from 0")

    def row(self, assessment: Assessment) -> None:
        """One volume; ``?`` marks what is uncertain, ``-`` what has no grade.

        A cine's slices count by their worst frame.
        """
        slices = np.arange(assessment.n_slices), assessment.worst_frames
        cells = " ".join(
            f"{assessment.scores[frame, index] or '-'}"
            f"{'?' if assessment.uncertain[frame, index] else ''}"
            for index, frame in zip(*slices, strict=True)
        )
        grade = f"{assessment.volume_grade.label}{'?' if assessment.volume_uncertain else ''}"
        self.say(
            f"{assessment.volume:<{self._width}}  {grade:<9}  {assessment.volume_score:>5}  "
            f"{assessment.volume_expected_score:>8.1f}  {cells}"
        )
        for remark in assessment.remarks:
            self.complain(f"{assessment.volume}: {remark}")

    def notice(self, text: str) -> None:
        self.say(f"Scores: 5 excellent to 1 non-diagnostic; ? uncertain. Network: {text}.")

    def progress_of(self, paths: Sequence[Path]) -> Callable[[Path, int, int], None] | None:
        """A line that overwrites itself while files are graded; None without a terminal."""
        if not _is_terminal(sys.stderr):
            return None
        numbers = {path: number for number, path in enumerate(paths, start=1)}

        def show(path: Path, done: int, total: int) -> None:
            text = f"file {numbers[path]} of {len(paths)}, slice {done} of {total}"
            _print(f"\r{text:<50}\r", sys.stderr, end="")
            self._progress_shown = True

        return show

    def end_progress(self) -> None:
        if self._progress_shown:
            _print(f"\r{'':<50}\r", sys.stderr, end="")
            self._progress_shown = False


def _is_terminal(stream: TextIO) -> bool:
    return stream is not None and stream.isatty()


def _print(text: str, stream: TextIO, end: str = "\n") -> None:
    try:
        print(text, end=end, file=stream, flush=True)
    except (BrokenPipeError, ValueError, AttributeError):  # the reader is gone, or was never there
        # Python flushes the stream once more at its end, and would complain then.
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
