"""Around a training run: where it may begin, and how its folder tells its end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from MotionQALib import checkpoints
from MotionQALib.error_text import sentence

from ..runs.journal import Journal
from ..runs.progress import Progress, Stopped
from ..runs.run_folder import SETTINGS, STATE, RunFolder
from ..runs.training_error import TrainingError
from .distributed import World
from .training_settings import Settings


def checked_output(output: str | Path) -> Path:
    """The checkpoint's path. Raises TrainingError for one that no checkpoint can have."""
    output = Path(output)
    if output.suffix != checkpoints.SUFFIX:
        raise TrainingError(f"{output}: a checkpoint's name ends in {checkpoints.SUFFIX}.")
    if output.is_dir():
        raise TrainingError(f"{output} is a folder; give a file's name.")
    return output


def open_folder(folder: RunFolder, settings: Settings, resume: bool, overwrite: bool) -> bool:
    """Take the run's folder; whether there is a state to go on from.

    Raises TrainingError, also where the run was begun with other settings.
    """
    if resume and (folder / STATE).exists() and Settings.load(folder / SETTINGS) != settings:
        raise TrainingError(
            f"The settings differ from those in {folder / SETTINGS}; resume with the same, "
            "or start anew without resuming."
        )
    return folder.open(resume=resume, overwrite=overwrite)


def refuse_full_disk(folder: Path, model: nn.Module) -> None:
    """Raise TrainingError where the run's files will not fit, before it has taken hours."""
    weights = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    # The state is weights, averages and two moments, written beside the one before; last, best
    # and the output are weights.
    needed = 2 * 4 * weights + 4 * weights
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise TrainingError(
            f"The run needs {needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free; "
            "free some space, or choose an output on another disk."
        )


@contextmanager
def ending_well(folder: RunFolder, journal: Progress, world: World | None = None) -> Iterator[None]:
    """Have the journal say how the run ended, and give back what it held."""
    try:
        yield
    except (Stopped, KeyboardInterrupt) as stopped:
        _end(journal, "stopped", str(stopped) or "Stopped.")
        raise
    except Exception as error:
        _end(journal, "failed", sentence(error))
        raise
    else:
        _end(journal, "finished", checkpoint=str(folder.output.resolve()))
    finally:
        if world is None or world.writes:
            folder.close()
        if world is not None:
            world.leave()


def _end(journal: Progress, state: str, text: str = "", **facts: str) -> None:
    """The journal's last line; the run's own error matters more than one of writing it."""
    if isinstance(journal, Journal):
        try:
            journal.end(state, text, **facts)
        except OSError:
            return
