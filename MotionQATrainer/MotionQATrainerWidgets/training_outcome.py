"""Whether a finished training learned anything: its figures on subjects it was not trained on."""

from __future__ import annotations

import math
from pathlib import Path

from MotionQALib.checkpoints import CheckpointError
from MotionQAWidgets import checkpoint_list


def validation_kappa(training) -> float | None:
    """κ on the validation subjects of what a training wrote; None where nobody knows it.

    Parameters
    ----------
    training : a finished `trainings.Training`
    """
    known = [_of_card(training.run.checkpoint)]
    known += [row.get("valid_kappa") for row in reversed(training.rows) if row.get("best")]
    return next((k for k in known if k is not None and math.isfinite(k)), None)


def learned_nothing(training) -> bool:
    """Whether the checkpoint agrees with the labels no better than chance would.

    One that gives every image the same grade has a κ of 0.
    """
    kappa = validation_kappa(training)
    return kappa is not None and kappa <= 0.0


def _of_card(checkpoint: Path | None) -> float | None:
    if checkpoint is None:
        return None
    try:
        facts = checkpoint_list.read_card(Path(checkpoint)).get("training")
    except CheckpointError:
        return None
    kappa = facts.get("valid_kappa") if isinstance(facts, dict) else None
    return float(kappa) if isinstance(kappa, int | float) else None
