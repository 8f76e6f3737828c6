"""Observers that go together."""

from __future__ import annotations

from collections.abc import Callable


class Observers:
    """Observers of VTK and MRML objects, removed by one call."""

    def __init__(self) -> None:
        self._tags: list[tuple[object, int]] = []

    def add(self, thing, event: str | int, call: Callable[..., object]) -> None:
        self._tags.append((thing, thing.AddObserver(event, call)))

    def clear(self) -> None:
        for thing, tag in self._tags:
            thing.RemoveObserver(tag)
        self._tags = []
