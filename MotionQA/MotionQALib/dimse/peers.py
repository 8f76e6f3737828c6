"""Application entities: their titles, and where they listen."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # PS3.5: no backslash, no control characters


class PeerError(ValueError):
    """A title or an address that is none; the message says what one looks like."""


def checked_title(title: str) -> str:
    """An application entity's title without the spaces around it.

    Raises PeerError where it is empty, too long or holds what the standard forbids.
    """
    stripped = title.strip()
    if not _TITLE.fullmatch(stripped):
        raise PeerError(
            f"{title!r} is no AE title: 1 to 16 letters, digits or signs, no backslash."
        )
    return stripped


@dataclass(frozen=True)
class Peer:
    """Where reports go: ``AE@HOST:PORT``."""

    title: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Peer:
        """Raises PeerError."""
        title, at, address = text.rpartition("@")
        host, colon, port = address.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (at and colon and host and port.isascii() and port.isdecimal()):
            raise PeerError(f"{text!r} names no peer; write AE@HOST:PORT, as PACS@10.0.0.5:104.")
        if not 0 < int(port) < 65536:
            raise PeerError(f"{text!r}: a port is a number from 1 to 65535.")
        return cls(checked_title(title), host, int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.title}@{host}:{self.port}"
