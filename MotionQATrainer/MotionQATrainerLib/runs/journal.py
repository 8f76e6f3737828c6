"""progress.jsonl: what a run says of itself, for programs, one JSON object a line.

The file outlives the process that reads it: Slicer finds a run again after a restart. Reading it
needs nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from .progress import Event, Progress, silent

JOURNAL = "progress.jsonl"

RUN_VARIABLE = "MOTIONQA_RUN"
"""Environment variable by which whoever starts a run knows its lines from an earlier one's."""

ENDED = ("finished", "stopped", "failed")
"""States that no process is at work in."""


@dataclass(frozen=True)
class Status:
    """Where a run stands.

    Parameters
    ----------
    state : "starting", "running", or one of `ENDED`
    stage : "data", "train", "validate" or "finish"
    text : the last line said
    done, total : of the stage, in its own unit; steps where it trains
    epoch, epochs : finished, and wanted
    seconds_left : of training, or None while unknown
    metrics : figures of the last validation
    pid, host : of the process that trains
    checkpoint : written at the end
    """

    state: str = "starting"
    stage: str = ""
    text: str = ""
    done: int = 0
    total: int = 0
    epoch: int = 0
    epochs: int = 0
    seconds_left: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    pid: int | None = None
    host: str = ""
    checkpoint: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def __str__(self) -> str:
        parts = []
        if self.epochs:
            parts.append(f"epoch {self.epoch} of {self.epochs} done")
        if self.total and not self.ended:
            unit = "step" if self.stage in ("train", "validate") else self.stage
            parts.append(f"{unit} {self.done} of {self.total}")
        if self.seconds_left is not None:
            parts.append(f"about {_duration(self.seconds_left)} left")
        if self.ended and self.text:
            parts.append(self.text)
        return ", ".join([self.state, *parts])

    def updated(self, line: Mapping[str, Any]) -> Status:
        """The status after one line of the journal; what it does not know is left out."""
        known = {key: value for key, value in line.items() if key in self.__dataclass_fields__}
        if known.get("stage", self.stage) != self.stage:
            known = {"done": 0, "total": 0} | known
        if known.get("state") == "starting":  # again: what was measured before still holds
            known = {"text": "", "seconds_left": None, "checkpoint": ""} | known
        return replace(self, **known)


class Journal:
    """Appends every event to progress.jsonl, and passes it on.

    Steps are written at most ``every`` seconds; lines for people and figures always. A ``fresh``
    journal has nothing of the runs before.
    """

    def __init__(
        self,
        folder: Path,
        progress: Progress = silent,
        *,
        every: float = 1.0,
        fresh: bool = False,
    ) -> None:
        self.path, self.progress, self.every = folder / JOURNAL, progress, every
        self._written = -every
        self._steps = (0, 0)
        self._first: tuple[float, int] | None = None  # time and step of the session's first event
        if fresh:
            self.path.write_bytes(b"")  # emptied, not removed: somebody may be reading it
        else:
            self._end_line()
        run = os.environ.get(RUN_VARIABLE, "")
        self.write(state="starting", run=run, pid=os.getpid(), host=platform.node())

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if event.stage == "train" and event.total:
            self._steps = (event.done, event.total)
            self._first = self._first or (now, event.done)
        if event.text or event.figures or now - self._written >= self.every or _last(event):
            self._written = now
            self.write(**self._line(event, now))
        self.progress(event)

    def end(self, state: str, text: str = "", **facts: Any) -> None:
        """Say how it ended: ``state`` is one of `ENDED`."""
        told = {"text": text} if text else {}
        self.write(state=state, **told, seconds_left=None, **facts)

    def write(self, **facts: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), **facts}, ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _line(self, event: Event, now: float) -> dict[str, Any]:
        line: dict[str, Any] = {"state": "running", "stage": event.stage}
        if event.text:
            line["text"] = event.text
        if event.stage == "validate":
            # NaN is no JSON.
            metrics = {k: v for k, v in event.figures.items() if v == v}
            line |= {"epoch": event.done, "epochs": event.total, "metrics": metrics}
            done, total = self._steps
            return line | {"done": done, "total": total, "seconds_left": self._left(now)}
        if event.total:
            line |= {"done": event.done, "total": event.total}
            if event.stage == "train":
                line["seconds_left"] = self._left(now)
        return line

    def _left(self, now: float) -> float | None:
        """Seconds until the last step, at the mean pace of this session."""
        done, total = self._steps
        if self._first is None or done == self._first[1]:
            return None
        began, first = self._first
        return round((now - began) / (done - first) * (total - done), 1)

    def _end_line(self) -> None:
        """A killed run may leave half a line, which must not swallow the next."""
        if self.path.exists():
            with self.path.open("rb+") as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        file.write(b"\n")


def _last(event: Event) -> bool:
    return bool(event.total) and event.done == event.total


class JournalReader:
    """Reads a journal as it grows.

    >>> reader = JournalReader(folder)
    >>> for text in reader.new_lines(): print(text)
    >>> reader.status.seconds_left

    Parameters
    ----------
    folder : of the run
    run : only the lines of the run that was started under this name; empty: all of the file
    """

    def __init__(self, folder: str | Path, run: str = "") -> None:
        self.path = Path(folder) / JOURNAL
        self.status = Status()
        self._run, self._found, self._offset = run, not run, 0
        self._over = False

    def new_lines(self) -> list[str]:
        """Read what was added; returns its lines for people. Unreadable lines are left out."""
        texts = []
        for line in () if self._over else self._added():
            other = bool(self._run) and line.get("run", self._run) != self._run
            if self._found and other:  # what follows is of the run that resumed this one
                self._over = True
                break
            if not self._found:
                self._found = line.get("run") == self._run
            if self._found:
                self.status = self.status.updated(line)
                if line.get("text"):
                    texts.append(line["text"])
        if not self._found:
            self._offset = 0  # the file may be emptied before the run's first line
        return texts

    def _added(self) -> Iterator[dict[str, Any]]:
        try:
            with self.path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._offset:
                    self._offset = 0
                file.seek(self._offset)
                added = file.read()
        except OSError:
            return
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        for raw in whole.splitlines():
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def to_stream(stream: TextIO) -> Progress:
    """Progress as JSON lines on a stream, for ``--progress json``."""

    def write(event: Event) -> None:
        content = {key: value for key, value in vars(event).items() if value}
        stream.write(json.dumps(content, ensure_ascii=False) + "\n")
        stream.flush()

    return write
