"""What a listener takes, from whom, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 10**6


@dataclass(frozen=True)
class ListenerSettings:
    """How to listen.

    Attributes
    ----------
    host : address to bind to; only this machine reaches the default
    port : 0 takes any that is free
    title : the AE title that callers must call
    callers : AE titles that may call; empty for any
    most_associations : at once; one more is turned away, to come again
    largest_object : bytes of one object
    most_in_flight : bytes of objects that have not arrived whole, of all callers together
    free_space : bytes of the disk that stay free
    stalled : seconds without a byte after which a caller is let go
    longest_object : seconds that one object may take
    """

    host: str = "127.0.0.1"
    port: int = 11112
    title: str = "MOTIONQA"
    callers: tuple[str, ...] = ()
    most_associations: int = 32
    largest_object: int = 1000 * MEGABYTE
    most_in_flight: int = 4000 * MEGABYTE
    free_space: int = 500 * MEGABYTE
    stalled: float = 30.0
    longest_object: float = 300.0
