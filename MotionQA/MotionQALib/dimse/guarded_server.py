"""Connections that cannot fill memory or hang: limits below pynetdicom's own.

Pynetdicom reads a message whole into memory, of whatever length its sender claims, and waits for
the rest of a started message for ever. So the socket under it counts: bytes and seconds since the
last message that was complete.
"""

from __future__ import annotations

import socket
import threading
import time
import weakref
from collections.abc import Callable
from socketserver import BaseServer
from typing import NoReturn

from pynetdicom.transport import ThreadedAssociationServer

from .listener_settings import ListenerSettings

SLACK = 2 * 10**6
"""Bytes of a message besides its object: commands, negotiation."""


SILENT = 32
"""Connections besides associations, which have not asked for one yet or are being turned away."""


class InFlight:
    """Bytes of messages that are not complete, of all connections together."""

    def __init__(self, most: int) -> None:
        self._most, self._now, self._lock = most, 0, threading.Lock()

    def take(self, count: int) -> bool:
        with self._lock:
            if self._now + count > self._most:
                return False
            self._now += count
            return True

    def give(self, count: int) -> None:
        with self._lock:
            self._now -= count


class GuardedSocket:
    """A connection's socket that ends with an OSError when its sender exceeds a limit.

    It stands for the socket in all other respects.
    """

    def __init__(
        self,
        inner: socket.socket,
        settings: ListenerSettings,
        flight: InFlight,
        say: Callable[[str], None],
    ) -> None:
        self._inner, self._settings, self._flight, self._say = inner, settings, flight, say
        self._count, self._since = 0, None
        self.closed = False
        self._most = SLACK  # until its titles are known to be right
        inner.settimeout(settings.stalled)

    def __getattr__(self, name: str):
        return getattr(self._inner, name)

    def fileno(self) -> int:
        return self._inner.fileno()

    def settimeout(self, _seconds: float | None) -> None:
        """Ours stays: pynetdicom would wait for ever."""

    def recv(self, count: int) -> bytes:
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since > self._settings.longest_object:
            self._break(f"an object took more than {self._settings.longest_object:g} s")
        try:
            data = self._inner.recv(count)
        except TimeoutError:
            self._break(f"nothing came for {self._settings.stalled:g} s in the middle of an object")
        if self._count + len(data) > self._most:
            if self._most == SLACK:
                self._break("too much came before its titles were agreed")
            self._break(f"an object exceeds {self._settings.largest_object / 1e6:g} MB")
        if not self._flight.take(len(data)):
            self._break("too much is being received at once")
        self._count += len(data)
        return data

    def agreed(self) -> None:
        """The titles are right: objects may come."""
        self._most = self._settings.largest_object + SLACK
        self.complete()

    def complete(self) -> None:
        """A message has arrived whole: count anew."""
        self._flight.give(self._count)
        self._count, self._since = 0, None

    def close(self) -> None:
        self.closed = True
        self.complete()
        self._inner.close()

    def _break(self, reason: str) -> NoReturn:
        self._say(f"A connection was ended: {reason}.")
        raise OSError(reason)


class GuardedServer(ThreadedAssociationServer):
    """Gives each connection a `GuardedSocket`; pynetdicom's otherwise."""

    daemon_threads = True
    request_queue_size = 64
    settings = ListenerSettings()
    flight = InFlight(settings.most_in_flight)
    say: Callable[[str], None] = staticmethod(lambda sentence: None)

    crowded = False
    open: weakref.WeakSet[GuardedSocket]

    def verify_request(self, request, client_address) -> bool:
        """Whether there is room for one more: a connection that says nothing takes threads, too."""
        most = self.settings.most_associations + SILENT
        crowded = sum(not one.closed for one in list(self.open)) > most  # itself among them
        if crowded and not self.crowded:
            self.say(f"Connections are turned away: {most} are open already.")
        self.crowded = crowded
        return not crowded

    def get_request(self):
        connection, address = super().get_request()
        guard = GuardedSocket(connection, self.settings, self.flight, self.say)
        self.open.add(guard)
        return guard, address

    def shutdown(self) -> None:
        BaseServer.shutdown(self)  # pynetdicom's own wants a server that `AE` keeps in a list
        self.server_close()


def guarded(settings: ListenerSettings, say: Callable[[str], None]) -> type[GuardedServer]:
    """A server class with these limits; pynetdicom makes the server itself.

    ``say`` is called, in any thread, with a sentence about each connection that was ended.
    """
    flight = InFlight(settings.most_in_flight)
    limits = {
        "open": weakref.WeakSet(),
        "settings": settings,
        "flight": flight,
        "say": staticmethod(say),
    }
    return type("GuardedServer", (GuardedServer,), limits)
