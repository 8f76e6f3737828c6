"""Two things timed in turn: A B, B A, A B, …"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

LEAST = 0.2
"""Seconds that one measurement takes at least; a shorter call is repeated."""


@dataclass(frozen=True)
class Pairs:
    """Seconds a call of each of the two, one entry a repetition."""

    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """First over second, pair by pair: what slows the machine for a while cancels."""
        return tuple(a / b for a, b in zip(self.first, self.second, strict=True))

    @property
    def medians(self) -> tuple[float, float]:
        return median(self.first), median(self.second)


def compare(
    first: Callable[[], object],
    second: Callable[[], object],
    repetitions: int,
    least: float = LEAST,
) -> Pairs:
    """Time both ``repetitions`` times, after a call of each to warm up."""
    seconds(first), seconds(second)
    calls = [math.ceil(least / max(seconds(f), 1e-6)) if least else 1 for f in (first, second)]
    taken: tuple[list[float], list[float]] = ([], [])
    for repetition in range(repetitions):
        # Whichever comes second may find warmer caches, so they take turns.
        for which in (0, 1) if repetition % 2 == 0 else (1, 0):
            taken[which].append(seconds((first, second)[which], calls[which]))
    return Pairs(tuple(taken[0]), tuple(taken[1]))


def seconds(function: Callable[[], object], calls: int = 1) -> float:
    """Seconds a call."""
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) / calls
