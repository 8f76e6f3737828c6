"""A signal for classes that are no QObject, spelled as Qt's are."""

from __future__ import annotations

import logging
from collections.abc import Callable


class Signal:
    """Calls what is connected, in the order of connecting."""

    def __init__(self) -> None:
        self._slots: list[Callable[..., object]] = []

    @property
    def slots(self) -> tuple[Callable[..., object], ...]:
        """What is connected."""
        return tuple(self._slots)

    def connect(self, slot: Callable[..., object]) -> None:
        self._slots.append(slot)

    def disconnect(self, slot: Callable[..., object] | None = None) -> None:
        """Disconnect one slot, if it is connected, or all."""
        self._slots = [] if slot is None else [other for other in self._slots if other != slot]

    def emit(self, *values: object) -> None:
        """Call every slot; as in Qt, one that raises does not keep the others from being called."""
        for slot in list(self._slots):
            try:
                slot(*values)
            except Exception:
                logging.exception("MotionQA: an error in %r", slot)
