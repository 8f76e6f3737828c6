"""A training run's state on disk: all that a killed run needs to go on with the same numbers.

Tensors and facts share one .safetensors file, so that they cannot disagree, and nothing in it is
executed when it is read.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from MotionQALib.whole_files import replacing

from .training_error import TrainingError

KEY = "motionqa-run"


class StateError(ValueError):
    """A state that cannot be resumed from; the message names the file."""


def save_state(
    path: Path,
    model: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    facts: dict[str, Any],
) -> None:
    """Write the state, whole or not at all."""
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    if average is not model:
        tensors |= {f"average.{key}": value for key, value in average.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, value in optimiser.state.get(parameter, {}).items():
            tensors[f"optimiser.{key}.{name}"] = value
    write_tensors(path, tensors, {KEY: json.dumps(facts)})


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write a .safetensors file under another name first, then rename it."""
    # Weights laid out channels last are stored row by row; shared memory is stored twice.
    plain = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    with storing(path), replacing(path) as part:
        save_file(plain, str(part), metadata=metadata)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Say of a file that cannot be written what to do; the one before it is still there."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        reason = "the disk is full" if full else getattr(error, "strerror", None) or str(error)
        remedy = "free some space" if full else "see that the folder can be written to"
        raise TrainingError(
            f"{path} could not be written: {reason}. The last state that was written is kept; "
            f"{remedy}, then go on with --resume."
        ) from error


def read_facts(path: Path) -> dict[str, Any]:
    """Facts of a state. Raises StateError."""
    return _open(path)[0]


def load_state(
    path: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """Bring a state back, in place, and return its facts. Raises StateError."""
    facts, tensors = _open(path)
    try:
        model.load_state_dict(_part(tensors, "model."))
        if average is not model:
            average.load_state_dict(_part(tensors, "average."))
    except RuntimeError as error:
        raise StateError(
            f"{path} is the state of another network; start the run anew without resuming."
        ) from error
    moments = _part(tensors, "optimiser.")
    for name, parameter in model.named_parameters():
        for key in ("step", "exp_avg", "exp_avg_sq"):
            value = moments.get(f"{key}.{name}")
            if value is not None:
                like = parameter if value.shape == parameter.shape else value
                held = torch.empty_like(like, dtype=value.dtype, device=parameter.device)
                optimiser.state[parameter][key] = held.copy_(value)
    return facts


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _open(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(str(path), framework="pt") as file:
            facts = json.loads((file.metadata() or {})[KEY])
            return facts, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise StateError(
            f"{path} is not the state of a training run, or a damaged one; delete it to start anew."
        ) from error
