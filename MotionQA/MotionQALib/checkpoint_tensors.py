"""Whether tensors of a file from elsewhere are those of a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .plain_text import plain

if TYPE_CHECKING:
    import torch

FLOATS = {"float16", "bfloat16", "float32", "float64"}
"""Types of weights; a whole or complex number would become a weight that nobody trained."""


def tensor_fault(
    tensors: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]
) -> str | None:
    """Why ``tensors`` cannot take the place of ``expected``, without a stop; None if they can."""
    missing = sorted(set(expected) - set(tensors))
    foreign = sorted(set(tensors) - set(expected))
    if missing or foreign:
        return (
            f"{len(missing)} tensors are missing and {len(foreign)} foreign, "
            f"{plain((missing or foreign)[0])} among them"
        )
    for key, value in tensors.items():
        wanted = expected[key]
        if value.shape != wanted.shape:
            return f"{key} has shape {tuple(value.shape)} where {tuple(wanted.shape)} belongs"
        types = FLOATS if wanted.is_floating_point() else {_type(wanted)}
        if _type(value) not in types:
            return f"{key} holds {_type(value)} where {_type(wanted)} belongs"
        if value.is_floating_point() and not value.isfinite().all():
            return f"{key} is not finite, so the file is damaged"
    return None


def _type(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
