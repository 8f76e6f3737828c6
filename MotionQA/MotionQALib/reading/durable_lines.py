"""JSON Lines that survive power cuts: written by one session, read by anybody at any time.

    with DurableLines.create(path, "The scores of anna") as log:
        log.append({"score": 4})          # on disk when this returns, or NotSaved

    lines = read_lines(path)              # any other process, meanwhile
    lines.records, lines.damaged          # what could be read; sentences about what could not

A line is one write of one whole record, synced before `append` returns. Whatever a crash left
behind the last whole line was never acknowledged: it is moved to a file beside the log, and
whole lines are never touched.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blinding import Remark, of_logs
from .disk import sync, sync_folder, write_all
from .reading_errors import NotSaved, StudyError
from .session_lock import SessionLock

_BINARY = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Lines:
    """What a log holds: records with their line numbers from 1, and sentences about the rest."""

    records: tuple[tuple[int, dict[str, Any]], ...] = ()
    damaged: tuple[Remark, ...] = ()
    torn: bytes = b""


def read_lines(path: str | Path) -> Lines:
    """Read a log that may be written to meanwhile; a missing one is empty.

    A last line without its end is being written, or was torn: it counts as not there. Raises
    ReadingError if the file cannot be read at all.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Lines()
    except OSError as error:
        raise StudyError(f"{path} cannot be read ({error.strerror}); check the folder.") from error
    *whole, torn = content.split(b"\n")
    records, damaged = [], []
    for number, line in enumerate(whole, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError
        except (ValueError, RecursionError):
            text = f"Line {number} of {path} cannot be read; it is left out."
            damaged.append(of_logs(text))
        else:
            records.append((number, record))
    return Lines(tuple(records), tuple(damaged), torn)


class DurableLines:
    """A log opened for writing, by this session alone.

    Use `create`. ``reports`` holds sentences for the reader about what was found damaged.
    """

    def __init__(self, path: Path, what: str, lock: SessionLock) -> None:
        self.path = path
        self.reports: list[str] = []
        self._what = what
        self._lock = lock
        self._size = -1  # whole lines that were there when we last looked, in bytes
        self._refused = b""  # a line that was not saved, and may be there all the same

    @classmethod
    def create(cls, path: str | Path, what: str) -> DurableLines:
        """Open a log, new or not.

        Parameters
        ----------
        what : named in refusals, in the plural: "The scores of anna"

        Raises
        ------
        InUse
            Another session writes it.
        NotSaved
            The folder cannot be written; nothing would be saved.
        """
        path = Path(path)
        try:
            lock = SessionLock(path.with_name(f".{path.name}.lock"), what)
        except OSError as error:
            raise _not_saved(path, what, error) from error
        log = cls(path, what, lock)
        try:
            log._make()
            log._mend()
        except OSError as error:
            lock.release()
            raise _not_saved(path, what, error) from error
        log.reports += read_lines(path).damaged
        return log

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record; it is on disk when this returns. Raises NotSaved, and then it is not."""
        text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        line = f"{text}\n".encode("utf-8", "replace")
        try:
            self._lock.beat()
            # Opened each time: a file that is held open takes lines even when it was deleted.
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | _BINARY)
            try:
                self._take_out_refused(file)
                self._look_at(os.fstat(file).st_size)
                self._write(file, line)
            finally:
                os.close(file)
        except OSError as error:
            raise _not_saved(self.path, self._what, error) from error
        self._size += len(line)

    def beat(self) -> None:
        """Tell other machines that this session lives: call it every minute, as from a timer."""
        try:
            self._lock.beat()
        except OSError as error:
            raise _not_saved(self.path, self._what, error) from error

    def close(self) -> None:
        """Let others write; may be called twice."""
        if self._refused and self._lock.held:
            with suppress(OSError):
                file = os.open(self.path, os.O_RDWR | _BINARY)
                try:
                    self._take_out_refused(file)
                finally:
                    os.close(file)
        self._lock.release()

    def __enter__(self) -> DurableLines:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self) -> None:
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        except FileExistsError:
            return
        sync(file)
        os.close(file)
        sync_folder(self.path.parent)

    def _look_at(self, size: int) -> None:
        if size < self._size:
            raise NotSaved(
                f"{self.path} was shortened by another program, such as one that synchronises "
                "folders; nothing was added. Bring its last state back, then open the study again."
            )
        if size > self._size:
            self._mend()

    def _write(self, file: int, line: bytes) -> None:
        """Write all of a line or none."""
        try:
            write_all(file, line)
            sync(file)
        except OSError:
            self._refused = line
            with suppress(OSError):  # else before the next line
                self._take_out_refused(file)
            raise

    def _take_out_refused(self, file: int) -> None:
        """Cut off what was left of a line that was not saved: it must not come back as saved.

        Raises OSError where that fails again. What another program has written is left alone.
        """
        if not self._refused:
            return
        size = os.fstat(file).st_size
        os.lseek(file, self._size, os.SEEK_SET)
        there = os.read(file, len(self._refused) + 1)
        if size > self._size and self._refused.startswith(there):
            os.ftruncate(file, self._size)
            sync(file)
        self._refused = b""

    def _mend(self) -> None:
        """Move what lies behind the last whole line to a file beside the log."""
        content = self.path.read_bytes()
        end = content.rfind(b"\n") + 1
        torn = content[end:]
        if torn:
            aside = self.path.with_name(f"{self.path.name}.torn")
            with aside.open("ab") as file:
                file.write(torn + b"\n")
                file.flush()
                sync(file.fileno())
            sync_folder(aside.parent)
            with self.path.open("r+b") as file:
                file.truncate(end)
                sync(file.fileno())
            self.reports.append(
                f"The last line of {self.path} was cut short, as by a power cut, before it was "
                f"saved; it was set aside in {aside.name}. Everything before it is there."
            )
        self._size = end


def _not_saved(path: Path, what: str, error: OSError) -> NotSaved:
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    if error.errno in full:
        reason, remedy = "the disk is full", "Make room and save again, or save elsewhere."
    elif error.errno == errno.ENOENT:
        reason = f"{path} is not there any more"
        remedy = "Connect its drive again, or save elsewhere."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason = f"{path.parent} may not be written to"
        remedy = "Ask for permission to write there, or save elsewhere."
    else:
        reason, remedy = f"{path}: {error.strerror or error}", "Save again, or save elsewhere."
    return NotSaved(f"{what} cannot be saved: {reason}. {remedy}")
