"""Active reading time: what passes between a reader's inputs, with the time away left out.

clock = ReadingClock(idle_after=study.idle_after)
clock.start()         # a case is shown
clock.touch()         # a key, a click, the mouse over a view
clock.pause()         # the panel is left; `touch` goes on
clock.seconds         # so far, of this case
"""

from __future__ import annotations

import time
from collections.abc import Callable


class ReadingClock:
    """Adds up the time of one case.

    Parameters
    ----------
    idle_after : seconds; of a longer silence only so much counts, since looking needs no mouse
    now : seconds by a clock that never goes back
    """

    def __init__(self, idle_after: float = 60.0, now: Callable[[], float] = time.monotonic) -> None:
        self._idle_after = idle_after
        self._now = now
        self._active = 0.0
        self._last: float | None = None

    def start(self) -> None:
        """A new case is shown."""
        self._active, self._last = 0.0, self._now()

    def touch(self) -> None:
        """The reader did something."""
        self._active, self._last = self.seconds, self._now()

    def pause(self) -> None:
        """The reader turned to something else; what follows does not count until `touch`."""
        self._active, self._last = self.seconds, None

    @property
    def seconds(self) -> float:
        if self._last is None:
            return self._active
        return self._active + min(self._now() - self._last, self._idle_after)
