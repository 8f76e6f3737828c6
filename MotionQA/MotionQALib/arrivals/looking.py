"""Looking at a folder again and again, in a thread: a share that hangs delays no grade."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .folder_watch import FolderWatch
from .image_facts import ImageFacts


class Looking:
    """Looks until `stop`, from the beginning on.

    Parameters
    ----------
    take : called in the thread, with each image that is found
    pause : seconds between looks

    Attributes
    ----------
    empty : looks in a row that waited for nothing and found nothing new
    """

    def __init__(
        self, watch: FolderWatch, take: Callable[[ImageFacts], None], pause: float
    ) -> None:
        self.empty = 0
        self._watch, self._take, self._pause = watch, take, pause
        self._trouble, self._progress = "", time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="looking", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """What is to be said of the folder now; empty where all is well."""
        return self._trouble

    @property
    def seconds_without(self) -> float:
        """Seconds since a look waited for nothing, or found something new."""
        return time.monotonic() - self._progress

    def stop(self) -> None:
        """End after the look in hand, for which nobody waits."""
        self._stop.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._stop.is_set():
            found = False
            try:
                for image in self._watch.images():
                    self.empty, found = 0, True
                    self._progress = time.monotonic()
                    self._take(image)
                self._trouble = self._watch.trouble
            except Exception as error:  # whatever it is: the next look may see more
                self._trouble = f"The folder cannot be looked at ({type(error).__name__})."
            if not self._watch.hanging:
                self._progress = time.monotonic()
                self.empty += not found
            self._stop.wait(self._pause)
