"""A training run's folder: all that shows what was done, and lets it go on or be done again.

=================== ===========================================================================
settings.toml       every setting, defaults included
split.json          who trained, validated and tests
command.txt         the command that repeats the run
log.csv             a line an epoch; ``tensorboard/`` has the same where TensorBoard is installed
state.safetensors   what a stopped or killed run resumes from
last.safetensors    the averaged weights after the last epoch, as a checkpoint
best.safetensors    those of the best epoch; calibrated, they are the run's output
progress.jsonl      what the run says, for programs; console.txt has it for people
report.html         curves and figures, in pictures
figures.json        the report's confusion matrix and reliability, for programs
before-after.md     of an adapted checkpoint, what adapting gave on held-out subjects
stop                asks the run to stop; whoever writes it need not know the process
=================== ===========================================================================
"""

from __future__ import annotations

from pathlib import Path

from MotionQALib.whole_files import write_whole

from .journal import JOURNAL
from .run_lock import FolderLock, is_held
from .training_error import TrainingError

SETTINGS, SPLIT, COMMAND = "settings.toml", "split.json", "command.txt"
STATE, LAST, BEST = "state.safetensors", "last.safetensors", "best.safetensors"
LOG, REPORT, CONSOLE = "log.csv", "report.html", "console.txt"
FIGURES, BEFORE_AFTER = "figures.json", "before-after.md"
STOP, LOCK = "stop", "run.lock"

BEFORE = {CONSOLE, JOURNAL, LOCK, STOP}
"""Files that a run leaves that ended before its settings were written."""


class RunFolder:
    """The folder of the run that writes the checkpoint ``output``: of its name, beside it."""

    def __init__(self, output: str | Path) -> None:
        self.output = Path(output)
        self.path = self.output.with_suffix("")
        self._lock = FolderLock(self.path / LOCK)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def unfinished(self) -> bool:
        """Whether a run was stopped or killed here before it wrote its checkpoint."""
        if not (self / STATE).exists():
            return False
        from .run_state import read_facts

        return not (read_facts(self / STATE).get("finished") and self.output.exists())

    @property
    def running(self) -> bool:
        """Whether a process trains here now."""
        return is_held(self / LOCK)

    def open(self, *, resume: bool, overwrite: bool) -> bool:
        """Take the folder for this process; returns whether there is a state to go on from.

        Raises TrainingError where something else lies there, another process trains there, or
        an unfinished run would be lost.
        """
        path = self.path
        if path.exists() and not path.is_dir():
            raise TrainingError(f"{path} is in the way of the run's folder; choose another output.")
        foreign = path.exists() and any(child.name not in BEFORE for child in path.iterdir())
        if foreign and not (self / SETTINGS).exists():
            raise TrainingError(
                f"{path} holds something else than a training run; choose another output."
            )
        going_on = resume and (self / STATE).exists()
        self.refuse_loss(resume=resume, overwrite=overwrite)
        path.mkdir(parents=True, exist_ok=True)
        if not self._lock.acquire():
            raise TrainingError(
                f"Another process is training in {path}; wait for it, or choose another output."
            )
        if not going_on:
            for name in (STATE, LAST, BEST, LOG, SPLIT, REPORT, FIGURES, COMMAND):
                (self / name).unlink(missing_ok=True)
            for file in (self / "tensorboard").glob("events.*"):
                file.unlink()
        (self / STOP).unlink(missing_ok=True)  # it spoke to the run before
        return going_on

    def refuse_loss(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Raise TrainingError where an unfinished run would be lost."""
        if not (resume or overwrite) and self.unfinished:
            raise TrainingError(
                f"{self.path} holds a run that has not finished; go on by resuming it (--resume), "
                "or give it up (--overwrite)."
            )

    def close(self) -> None:
        """Let others have the folder."""
        (self / STOP).unlink(missing_ok=True)
        self._lock.release()

    def asked_to_stop(self) -> bool:
        return (self / STOP).exists()

    def write_command(self, line: str) -> None:
        """Keep the command that repeats the run."""
        write_whole(self / COMMAND, line + "\n")
