"""How fast a batch goes, and how long it will take."""

from __future__ import annotations

from collections import deque

RECENT = 40
"""Volumes whose mean time counts: some are larger than others, and machines get busy."""


class WorkRate:
    """Told of every volume that ends, says the rate of the last ones.

    Parameters
    ----------
    start : seconds on any clock, when the first volume began
    """

    def __init__(self, start: float) -> None:
        self._ends: deque[float] = deque([start], maxlen=RECENT + 1)

    def ended(self, now: float) -> None:
        """One more volume ended."""
        self._ends.append(now)

    @property
    def per_minute(self) -> float | None:
        """Volumes a minute; None until two have ended, since the first one waits for the disk."""
        done, seconds = len(self._ends) - 1, self._ends[-1] - self._ends[0]
        return None if done < 2 or seconds <= 0 else 60 * done / seconds

    def seconds_left(self, volumes: int) -> float | None:
        """Seconds that so many volumes will take; None where it is not known yet."""
        rate = self.per_minute
        return None if rate is None else 60 * volumes / rate
