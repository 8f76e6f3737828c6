"""An epoch's figures for TensorBoard, where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from .progress import Event, Progress


class TensorBoard:
    """Writes the figures of every epoch to ``folder``, and passes every event on."""

    def __init__(self, folder: Path, progress: Progress, from_step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.progress = progress
        # What was written after the state that a run resumes from is written again.
        purge = from_step + 1 if from_step else None
        self.writer = SummaryWriter(str(folder), purge_step=purge)

    def __call__(self, event: Event) -> None:
        if event.stage == "validate" and "step" in event.figures:
            step = int(event.figures["step"])
            for name, value in event.figures.items():
                if name not in ("epoch", "step", "best"):
                    self.writer.add_scalar(name.replace("valid_", "valid/"), value, step)
            self.writer.flush()
        self.progress(event)


def with_tensorboard(folder: Path, progress: Progress, from_step: int = 0) -> Progress:
    """Progress that is written for TensorBoard too, where that is installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return progress
    try:
        return TensorBoard(folder, progress, from_step)
    except ImportError as error:  # there, but not fit for this Python
        progress(Event("train", f"No figures for TensorBoard: {error}."))
        return progress
