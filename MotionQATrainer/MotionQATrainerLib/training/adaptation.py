"""What a few labels can change in a finished network: its last layer and its calibration.

Everything before the last layer stays as it is, so that each slice is looked at once and the rest
is arithmetic: it can be repeated with each part of the subjects held out, which tells what the
change is worth on people that it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from MotionQALib.devices import DeviceSetup
from MotionQALib.scale import softmax
from MotionQALib.volume_rule import VolumeRule

from ..data.datasets import SliceStore
from ..evaluation.calibration import fit_temperature
from .objective import OrdinalLikelihood

STEPS = 200
"""Of L-BFGS, which has converged long before."""

WIDTH = 2.0
"""By which a few labels may be expected to change logits."""


@dataclass(frozen=True)
class Calibration:
    """From logits to probabilities of slices and of volumes."""

    temperature: float
    rule: VolumeRule

    @classmethod
    def fit(
        cls, logits: np.ndarray, store: SliceStore, indices: np.ndarray, volumes: Sequence
    ) -> Calibration:
        """Fitted on some slices' logits (of all slices), and on the volumes among them."""
        temperature = fit_temperature(logits[indices], store.levels[indices])
        probabilities = softmax(logits, temperature)
        among = np.isin(np.arange(len(store)), indices)
        rows = [of for of in volumes if among[of].all()]
        levels = [store.volume_levels[str(store.images[of[0]])] for of in rows]
        return cls(temperature, VolumeRule.fit([probabilities[of] for of in rows], levels))

    def of_slices(self, logits: np.ndarray) -> np.ndarray:
        return softmax(logits, self.temperature)


@torch.inference_mode()
def look(
    model: nn.Module, place: DeviceSetup, store: SliceStore, batch_size: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """What the last layer is given of each slice (n, d), and its logits (n, 5); float64."""
    seen: list[torch.Tensor] = []
    hook = model.get_classifier().register_forward_pre_hook(
        lambda layer, inputs: seen.append(inputs[0].double().cpu())
    )
    model.eval()
    try:
        logits = [
            place.forward(model, images).double().cpu()
            for images, _ in store.batches(np.arange(len(store)), batch_size, place.device)
        ]
    finally:
        hook.remove()
    return torch.cat(seen).numpy(), torch.cat(logits).numpy()


def fit_head(
    features: np.ndarray,
    levels: np.ndarray,
    start: tuple[np.ndarray, np.ndarray],
    n_volumes: int,
    ordinal_weight: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """The last layer under which labels are likely, not far from where it was.

    It minimises n_volumes * loss + ½ E‖x - x̄‖² ‖W - W₀‖² / WIDTH²: a normal prior under which the
    logits of different slices change by about WIDTH. Slices of a volume are so alike that volumes
    are counted, not slices.

    Parameters
    ----------
    features : (n, d); levels : (n, 5) bool
    start : weights (5, d) and biases (5,) before

    Returns
    -------
    weights and biases after
    """
    x, allowed = torch.from_numpy(features), torch.from_numpy(np.asarray(levels, dtype=bool))
    weights0, biases0 = (torch.from_numpy(np.asarray(v, dtype=np.float64)) for v in start)
    centred = x - x.mean(dim=0)
    scale = (float(centred.square().sum(dim=1).mean()) + 1) / WIDTH**2
    change = torch.zeros(len(biases0), x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    loss = OrdinalLikelihood(ordinal_weight)
    search = torch.optim.LBFGS([change], max_iter=STEPS, line_search_fn="strong_wolfe")
    before = x @ weights0.T + biases0

    def cost() -> torch.Tensor:
        search.zero_grad()
        logits = before + centred @ change[:, :-1].T + change[:, -1]
        total = n_volumes * loss(logits, allowed) + 0.5 * scale * change.square().sum()
        total.backward()
        return total

    search.step(cost)
    found = change.detach()
    shift = found[:, -1] - found[:, :-1] @ x.mean(dim=0)
    return (weights0 + found[:, :-1]).numpy(), (biases0 + shift).numpy()


def held_out(
    store: SliceStore,
    volumes: Sequence[np.ndarray],
    folds: Sequence[np.ndarray],
    logits_without: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Results on subjects that nothing of what is adapted has seen.

    A fold's calibration is fitted on the others' logits, each held out in its turn by a head that
    has not seen the fold either.

    Parameters
    ----------
    volumes : slices' positions of each volume that is labelled as a whole
    folds : slices' positions of each part of the subjects
    logits_without : logits of all slices after adapting to the given ones

    Returns
    -------
    logits (n, 5), and probabilities of the slices (n, 5) and of each volume (5,)
    """
    everything = np.arange(len(store))

    def without(*left_out: np.ndarray) -> np.ndarray:
        return logits_without(np.setdiff1d(everything, np.concatenate(left_out)))

    logits = np.empty((len(store), 5))
    nested = np.zeros((len(folds), len(store), 5))
    for first, fold in enumerate(folds):
        logits[fold] = without(fold)[fold]
        for second, other in enumerate(folds[:first]):
            both = without(fold, other)
            nested[first, other], nested[second, fold] = both[other], both[fold]
    probabilities = np.empty_like(logits)
    of_volumes: list[np.ndarray] = [np.empty(0)] * len(volumes)
    for turn, fold in enumerate(folds):
        others = np.setdiff1d(everything, fold)
        fitted = Calibration.fit(nested[turn], store, others, volumes)
        probabilities[fold] = fitted.of_slices(logits[fold])
        for number, rows in enumerate(volumes):
            if np.isin(rows[0], fold):
                of_volumes[number] = fitted.rule(probabilities[rows])
    return logits, probabilities, of_volumes
