"""A training run in a process of its own, seen from the one that started it, or found it.

It needs neither Qt nor torch. What the run says reaches this side through files in its folder, so
that either process may end before the other.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from MotionQALib.checkpoints import SUFFIX
from MotionQALib.error_text import last_line

from ..evaluation.comparison_table import TABLE, ComparisonTable
from ..runs.journal import RUN_VARIABLE, JournalReader, Status
from ..runs.request import Request
from ..runs.run_folder import CONSOLE, LOCK, STOP
from ..runs.run_lock import is_held

PAUSE = 0.2
"""Seconds between two looks while waiting."""


class RunError(RuntimeError):
    """A run that failed or was killed; the message is what it said last."""


class Run:
    """A training run, going on or over.

    Attributes
    ----------
    folder : Path of the run's folder, with the log, the checkpoints and report.html
    idle : called again and again by `wait`; Slicer lets its window answer there
    """

    def __init__(
        self, folder: str | Path, process: subprocess.Popen | None = None, name=""
    ) -> None:
        self.folder = Path(folder)
        self._process = process
        self._reader = JournalReader(self.folder, name)
        self.idle: Callable[[], object] = partial(time.sleep, PAUSE)
        self._cancelling = False
        self._unread: list[str] = []

    @classmethod
    def start(
        cls,
        request: Request,
        folder: str | Path,
        *,
        python: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """Start ``motionqa-train`` with what is asked of it, and return at once.

        Parameters
        ----------
        request : of more than one process: they share the work, by torchrun
        folder : the folder that the command will write to
        python : the Python program; by default the one that runs here
        environment : added to this process's
        """
        folder, name = Path(folder), uuid.uuid4().hex
        folder.mkdir(parents=True, exist_ok=True)
        command = [python or _python()]
        if request.processes > 1:
            command += ["-m", "torch.distributed.run", "--standalone"]
            command += ["--nproc-per-node", str(request.processes)]
        command += ["-m", "MotionQATrainerLib.cli", *request.to_argv()]
        with (folder / CONSOLE).open("ab") as console:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_paths(), RUN_VARIABLE: name, **(environment or {})},
                **_detached(),
            )
        return cls(folder, process, name)

    @classmethod
    def attach(cls, folder: str | Path) -> Run:
        """The run in a folder, or of a checkpoint's file, whoever started it and when."""
        folder = Path(folder)
        return cls(folder.with_suffix("") if folder.suffix == SUFFIX else folder)

    @property
    def progress(self) -> Status:
        """Where it stands: state, stage, epoch, step, time left. Prints as a sentence."""
        self._look()
        return self._reader.status

    @property
    def metrics(self) -> dict[str, float]:
        """Figures of the last validation: train_loss, valid_nll, valid_accuracy, valid_kappa."""
        return dict(self.progress.metrics)

    @property
    def checkpoint(self) -> Path | None:
        """The finished checkpoint; None before."""
        path = self.progress.checkpoint
        return Path(path) if path else None

    @property
    def table(self) -> ComparisonTable:
        """Of a comparison: the networks trained so far."""
        return ComparisonTable.load(self.folder / TABLE)

    @property
    def state(self) -> str:
        """ "starting", "running", "finished", "stopped", "failed" or "killed"."""
        alive = self.alive
        status = self.progress
        if status.ended or alive:
            return status.state
        if status.state == "starting" and self._process is not None:
            return "failed"  # it never came to its folder
        return "killed"

    @property
    def alive(self) -> bool:
        """Whether a process is at work."""
        if self._process is not None:
            return self._process.poll() is None
        return is_held(self.folder / LOCK)

    def new_lines(self) -> list[str]:
        """What it said since the last call, a line each."""
        self._look()
        lines, self._unread = self._unread, []
        return lines

    def cancel(self) -> None:
        """Ask it to stop after the step that it is at; its state is saved, and can be resumed."""
        self._cancelling = True
        self._ask_to_stop()

    def kill(self) -> None:
        """End a run that was started here and does not listen; it resumes from its last state."""
        if self._process is None or self._process.poll() is not None:
            return
        if os.name == "nt":
            self._process.kill()
        else:
            os.killpg(self._process.pid, signal.SIGKILL)  # torchrun's workers too

    def wait(self, timeout: float | None = None) -> Path | None:
        """Wait for the end; returns the checkpoint, or None where it was stopped.

        Raises RunError where it failed, TimeoutError after ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.alive:
            self._look()
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"The run in {self.folder} goes on after {timeout:g} s.")
            self.idle()
        if self.state in ("failed", "killed"):
            raise RunError(self.error)
        return self.checkpoint

    @property
    def error(self) -> str:
        """Why it failed, in a sentence; empty where it did not."""
        state = self.state
        if state == "failed" and self._reader.status.ended:
            return self._reader.status.text
        if state not in ("failed", "killed"):
            return ""
        if state == "killed":
            return "The process that trained was killed; go on with resume=True."
        return last_line(
            _tail(self.folder / CONSOLE), "The process that trains could not be started."
        )

    def __repr__(self) -> str:
        return f"<Run {self.folder}: {self.state}; {self.progress}>"

    def _look(self) -> None:
        self._unread += self._reader.new_lines()
        # A run that only now came to its folder took the request for one to the run before.
        if self._cancelling and not self._reader.status.ended and self.alive:
            self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        if self.folder.is_dir():
            (self.folder / STOP).touch()


def _python() -> str:
    """The Python here; in Slicer not PythonSlicer, which would only start python-real beside it."""
    python = Path(sys.executable)
    real = python.with_name(f"python-real{python.suffix if python.suffix == '.exe' else ''}")
    return str(real if real.is_file() else python)


def _paths() -> dict[str, str]:
    """Environment in which the child finds these packages, and says at once what it says."""
    import MotionQALib
    import MotionQATrainerLib

    packages = (MotionQATrainerLib, MotionQALib)
    parents = [Path(package.__file__).resolve().parents[1] for package in packages]
    known = os.environ.get("PYTHONPATH", "")
    paths = [*dict.fromkeys(map(str, parents)), *([known] if known else [])]
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _detached() -> dict:
    """Options by which a child outlives this process, and a Ctrl-C in its console."""
    if os.name == "nt":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}


def _tail(path: Path, most: int = 4000) -> str:
    try:
        return path.read_bytes()[-most:].decode("utf-8", "replace")
    except OSError:
        return ""
