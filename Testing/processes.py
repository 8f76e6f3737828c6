"""Processes of which tests want to know whether they live."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SOON = 60.0
"""Seconds for what needs no torch, on a busy machine. Waits end as soon as they can."""

LATE = 280.0
"""Seconds for what may have to import torch on a busy machine."""


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:  # it has just ended, or this system has no /proc
        return not status.parent.parent.joinpath("self").exists()


def children(words: str) -> list[int]:
    """This process's children with the words in their command lines, as a task manager has them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            command = stat.with_name("cmdline").read_bytes().decode("utf-8", "replace")
            if int(parent) == os.getpid() and state != "Z" and words in command:
                found.append(int(stat.parent.name))
    return found


def pid_of(host, worker) -> int:
    """The process of a WorkerProcess, once it has said that it is there."""
    host.wait_until(lambda: worker.child and worker.child.pid, seconds=LATE)
    return worker.child.pid


def wait_gone(host, *pids: int) -> None:
    """Let Qt run, which reaps its children only then, until none of them lives."""
    host.wait_until(lambda: not any(map(alive, pids)), seconds=SOON)
