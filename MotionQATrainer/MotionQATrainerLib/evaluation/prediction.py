"""A network's logits on stored slices, and the figures that training is steered by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from MotionQALib.devices import DeviceSetup
from MotionQALib.scale import softmax

from ..data.datasets import SliceStore
from . import metrics


@torch.inference_mode()
def predict(
    model: nn.Module,
    place: DeviceSetup,
    store: SliceStore,
    indices: np.ndarray,
    batch_size: int = 64,
) -> np.ndarray:
    """Logits (n, 5) float32 of stored slices, not augmented; the model comes back as it was."""
    was_training = model.training
    model.eval()
    logits = [
        place.forward(model, images).float().cpu()
        for images, _ in store.batches(indices, batch_size, place.device)
    ]
    model.train(was_training)
    return torch.cat(logits).numpy() if logits else np.empty((0, 5), np.float32)


@dataclass(frozen=True)
class Figures:
    """How well logits fit labels: mean -log likelihood, and the grades' accuracy and kappa."""

    nll: float
    accuracy: float
    kappa: float  # quadratic weights


def figures(logits: np.ndarray, levels: np.ndarray) -> Figures:
    """Figures of (n, 5) logits on (n, 5) bool levels. Kappa is 0 where it is undefined."""
    probabilities = softmax(logits)
    likelihood = (probabilities * levels).sum(axis=1)
    found = metrics.evaluate(levels, probabilities, [""] * len(levels), resamples=0)
    return Figures(
        nll=float(-np.log(np.maximum(likelihood, 1e-12)).mean()),
        accuracy=found["accuracy"].value,
        kappa=float(np.nan_to_num(found["quadratic_kappa"].value)),
    )


def spread(indices: np.ndarray, most: int) -> np.ndarray:
    """At most ``most`` of the indices, evenly spread; 0: all."""
    if not most or len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).round().astype(int)]
