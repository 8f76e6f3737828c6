"""At most one session writes a log: on one machine by the system's lock, between machines by a
heartbeat.

The system's lock dies with its process, so that a crash or SIGKILL never locks a reader out. Not
every network drive carries it to other machines; they are told apart by the host's name in the
lock file, whose time `beat` renews. A session on another host that has been silent for `SILENCE`
counts as dead. Its clock does not matter: a beat is a write, so that ages are differences of times
that the drive gave.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

from ..file_lock import lock
from .disk import sync, write_all
from .reading_errors import InUse, NotSaved

BEAT = 60.0
"""Seconds between two signs of life to other machines."""

SILENCE = 180.0
"""Seconds without a heartbeat after which another machine's session counts as dead."""


_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)


class SessionLock:
    """The right to write; taken when made, given back by `release`.

    Parameters
    ----------
    path : of the lock file, which stays, empty, when the session has ended
    what : what is locked, for the refusal: "The scores of anna"

    Raises
    ------
    InUse
        Another living session holds it.
    OSError
        The folder cannot be written.
    """

    def __init__(self, path: str | Path, what: str) -> None:
        self.path = Path(path)
        self._what = what
        self._token = uuid.uuid4().hex
        self._file = os.open(self.path, _FLAGS, 0o666)
        try:
            self._take()
        except BaseException:
            os.close(self._file)
            raise

    def _take(self) -> None:
        held = lock(self._file)
        holder = self._holder()
        if held is False:
            raise self._refusal(holder)
        # None: the drive knows no locks; then a session of this machine, too, lives by its beat.
        dead = held and holder.get("host") == socket.gethostname()
        # A beat far in the future is from before the drive's clock was set back.
        if holder and not dead and abs(self._age()) < SILENCE:
            raise self._refusal(holder)
        self._write({"host": socket.gethostname(), "pid": os.getpid(), "token": self._token})

    def beat(self) -> None:
        """Say that the session lives; call it every minute or so.

        A lock file that was removed, as by a program that tidies up, is made again. Raises NotSaved
        if it was taken for dead and another session goes on with the log, OSError if the folder
        has gone.
        """
        try:
            holder = self._holder()
        except FileNotFoundError:
            self._make_again()
            holder = self._holder()
        if holder.get("token") != self._token:
            raise NotSaved(
                f"{self._what} were taken over by another session on "
                f"{holder.get('host', 'another machine')}; nothing is saved here any more. "
                "Close the study and open it again."
            )
        with self.path.open("r+b", buffering=0) as file:
            file.write(json.dumps(holder).encode())  # what is there; `os.utime` gives our own time

    @property
    def held(self) -> bool:
        """Whether no other session has taken it over."""
        try:
            return self._holder().get("token") == self._token
        except OSError:
            return False

    def _make_again(self) -> None:
        """A new lock file in the place of one that is gone; the first session to do so has it."""
        try:
            file = os.open(self.path, _FLAGS | os.O_EXCL, 0o666)
        except FileExistsError:
            return  # another session was faster, and has it
        if lock(file) is False:
            os.close(file)
            return
        os.close(self._file)
        self._file = file
        self._write({"host": socket.gethostname(), "pid": os.getpid(), "token": self._token})

    def release(self) -> None:
        """Let others write."""
        if self._file < 0:
            return
        if self.held:
            with suppress(OSError):  # the folder is gone, and with it what was locked
                os.ftruncate(self._file, 0)
        os.close(self._file)  # which also gives the system's lock back
        self._file = -1

    def _holder(self) -> dict:
        """Who wrote the lock file; empty if nobody or if it was cut short.

        It is opened by name, since the file that was opened may have been removed: OSError.
        """
        try:
            holder = json.loads(self.path.read_bytes() or b"{}")
        except ValueError:
            return {}
        return holder if isinstance(holder, dict) else {}

    def _age(self) -> float:
        """Seconds since the last beat, by the drive's clock."""
        with tempfile.NamedTemporaryFile(dir=self.path.parent, prefix=".beat-") as probe:
            return os.fstat(probe.fileno()).st_mtime - self.path.stat().st_mtime

    def _write(self, holder: dict) -> None:
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        write_all(self._file, json.dumps(holder).encode())
        sync(self._file)

    def _refusal(self, holder: dict) -> InUse:
        where = f" on {holder['host']} (process {holder.get('pid')})" if "host" in holder else ""
        return InUse(
            f"{self._what} are open in another session{where}; close it there before going on "
            "here, so that no score is lost."
        )
