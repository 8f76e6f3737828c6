"""Which series have come to rest, and which of those are complete."""

from __future__ import annotations

import time
from collections.abc import Callable

from .arriving_series import ArrivingSeries
from .image_facts import ImageFacts

QUIET = 5.0
"""Seconds without a new image after which a series counts as sent."""

PATIENCE = 60.0
"""Seconds without a new image after which an incomplete series is said to be incomplete."""


class Arrivals:
    """Series that are arriving; plain bookkeeping, for one thread at a time.

    Parameters
    ----------
    quiet, patience : seconds; see `QUIET` and `PATIENCE`
    clock : seconds that only rise; a computer's clock that is set must not matter

    A series is handed out by `due` once, and again only if images came after that.
    """

    def __init__(
        self,
        quiet: float = QUIET,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.quiet, self.patience = quiet, max(quiet, patience)
        self._clock = clock
        self._series: dict[str, ArrivingSeries] = {}
        self._last: dict[str, float] = {}
        self._told: set[str] = set()  # series that were handed out, or said to be incomplete

    def __len__(self) -> int:
        return len(self._series)

    def add(self, image: ImageFacts) -> bool:
        """Take an image that has arrived; whether it is new: one that comes again is not."""
        series = self._series.setdefault(image.series, ArrivingSeries(image.series))
        new = series.add(image)
        if new:
            self._last[image.series] = self._clock()
            self._told.discard(image.series)
        return new

    def get(self, uid: str) -> ArrivingSeries | None:
        return self._series.get(uid)

    def due(self) -> list[ArrivingSeries]:
        """Series that are complete and at rest, those that came to rest first in front."""
        return [series for series, _ in self._resting(self.quiet, complete=True)]

    def overdue(self) -> list[tuple[ArrivingSeries, str]]:
        """Series that have been at rest for long and lack images, with what they lack."""
        return [
            (series, missing or "")
            for series, missing in self._resting(self.patience, complete=False)
        ]

    def wait(self) -> float | None:
        """Seconds until `due` or `overdue` may return something more; None if nothing is here."""
        now = self._clock()
        waits = []
        for uid, last in self._last.items():
            if uid in self._told:
                continue
            waits += [last + limit - now for limit in (self.quiet, self.patience)]
        ahead = [wait for wait in waits if wait > 0]
        return min(ahead, default=None)

    def forget(self, uid: str) -> None:
        """Let go of a series, as when its images were removed."""
        self._series.pop(uid, None)
        self._last.pop(uid, None)
        self._told.discard(uid)

    def _resting(self, limit: float, complete: bool) -> list[tuple[ArrivingSeries, str | None]]:
        now = self._clock()
        resting = [
            uid for uid, last in self._last.items() if now - last >= limit and uid not in self._told
        ]
        found = []
        for uid in sorted(resting, key=self._last.__getitem__):
            missing = self._series[uid].missing()
            if (missing is None) == complete:
                self._told.add(uid)
                found.append((self._series[uid], missing))
        return found
