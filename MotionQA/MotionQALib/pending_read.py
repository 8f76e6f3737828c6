"""A file that is being read beside the work, and may never be: a share can hang for good."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from .formats.volume_error import display_name

Content = TypeVar("Content")

PATIENCE = 600.0
"""Seconds that a file is waited for before it is given up."""

LOOK = 0.2
"""Seconds between two looks at whether to stop."""


class PendingRead(Generic[Content]):
    """Reads in a thread of its own, begun at once.

    The thread does not keep the program from ending, as those of an executor would: what is
    graded must be written though a share hangs.

    Parameters
    ----------
    read : called with the path and the options; its errors are raised by `result`
    """

    def __init__(self, read: Callable[..., Content], path: Path, *options: object) -> None:
        self._path = path
        self._done = threading.Event()
        self._content: list[Content] = []
        self._error: BaseException | None = None
        threading.Thread(
            target=self._run, args=(read, *options), name="reader", daemon=True
        ).start()

    def result(
        self, cancelled: Callable[[], bool] = lambda: False, patience: float | None = None
    ) -> Content | str | None:
        """What was read, once: it is let go of here.

        Returns a sentence where it takes longer than ``patience`` seconds, by default `PATIENCE`,
        and None once ``cancelled``.
        """
        patience = PATIENCE if patience is None else patience
        end = time.monotonic() + patience
        while not self._done.wait(LOOK):
            if cancelled():
                return None
            if time.monotonic() > end:
                return (
                    f"{display_name(self._path)} was not read within {patience:g} s; its drive or "
                    "share may hang. Grade it again when that answers."
                )
        if self._error is not None:
            raise self._error
        return self._content.pop()

    def _run(self, read: Callable[..., Content], *options: object) -> None:
        try:
            self._content.append(read(self._path, *options))
        except BaseException as error:  # told to whoever waits
            self._error = error
        self._done.set()
