"""Fit how a finished network tells what it was not trained for (`MotionQALib.familiarity`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn

from MotionQALib.devices import DeviceSetup
from MotionQALib.familiarity import Familiarity, FeatureTap
from MotionQALib.preprocessing import Preprocessing

from ..data.augmentation import Augmentation
from ..data.datasets import SliceStore
from ..evaluation.prediction import spread
from ..simulation.out_of_distribution import out_of_distribution_images

FEWEST = 200
"""Training slices below which nothing can be said about what is familiar."""

ALTERED = 1500
AXES = 96
DRAWN = 900
FALSE_ALARMS = 0.003
"""Share of validation slices that may be called unfamiliar."""

LET_BE = 0.03
"""Share of the drawn images that may be taken for hearts, where that spares real slices: other
patients' and scanners' lie further off than the validation's."""


@torch.inference_mode()
def features_of(
    model: nn.Module, place: DeviceSetup, batches: Iterable[torch.Tensor]
) -> tuple[torch.Tensor, np.ndarray]:
    """What the last layer is given of batches of network input, (n, d) float32 on the CPU, and the
    logits (n, 5) that it makes of them."""
    tap = FeatureTap(model.eval())
    found, logits = [], []
    try:
        for images in batches:
            logits.append(place.forward(model, images).float().cpu())
            found.append(tap.features.float().cpu())
    finally:
        tap.remove()
    return torch.cat(found), torch.cat(logits).numpy()


def look(
    model: nn.Module, place: DeviceSetup, store: SliceStore, indices: np.ndarray
) -> tuple[torch.Tensor, np.ndarray]:
    """`features_of` stored slices, not altered."""
    return features_of(model, place, (x for x, _ in store.batches(indices, 32, place.device)))


def fit_familiarity(
    model: nn.Module,
    place: DeviceSetup,
    store: SliceStore,
    train: np.ndarray,
    real: torch.Tensor,
    held: torch.Tensor,
    *,
    count: int = DRAWN,
    seed: int = 0,
) -> str | None:
    """Give ``model`` a ``familiarity`` and return a sentence on it; None where slices are too few.

    Real slices are the training's, as they are and altered as in training; unfamiliar images are
    drawn (`out_of_distribution_images`). The threshold is set on the validation slices and on every
    third of the drawn images, which the rule has not seen.

    Parameters
    ----------
    train : positions of training slices, evenly spread, whose features are ``real``
    held : features of the validation slices
    """
    if hasattr(model, "familiarity"):
        del model.familiarity
    if len(train) < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    altered = _altered(store, spread(train, ALTERED), place, seed)
    real = torch.cat([real, features_of(model, place, altered)[0]])
    hearts = [np.asarray(store.crops[rows], np.float32) for rows in _stacks(store, train)[:60]]
    batches = out_of_distribution_batches(store.preprocessing, place, count, rng, hearts)
    unfamiliar, _ = features_of(model, place, batches)
    familiarity = Familiarity(real.shape[1], min(AXES, real.shape[1]))
    _set_axes(familiarity, real)
    unseen = torch.arange(len(unfamiliar)) % 3 == 0
    _set_rule(familiarity, real, unfamiliar[~unseen])
    unfamiliar = unfamiliar[unseen]
    spared = torch.quantile(familiarity(held), 1 - FALSE_ALARMS)
    caught = torch.quantile(familiarity(unfamiliar), LET_BE)
    familiarity.bias -= max(float(spared), float(caught), 0.0)
    told, alarms = (float((familiarity(seen) > 0).float().mean()) for seen in (unfamiliar, held))
    model.familiarity = familiarity.to(place.device)
    return (
        f"{told:.0%} of {len(unfamiliar)} drawn images that are no heart, and {alarms:.1%} of "
        f"{len(held)} validation slices, are told as unlike short-axis cardiac MR."
    )


def out_of_distribution_batches(
    preprocessing: Preprocessing,
    place: DeviceSetup,
    count: int,
    rng: np.random.Generator,
    hearts: Sequence[np.ndarray] = (),
    size: int = 32,
):
    """Network input of drawn images that are no hearts."""
    batch = []
    for _, image in out_of_distribution_images(count, rng, list(hearts)):
        pixel = float(rng.uniform(0.9, 1.8))
        batch.append(preprocessing(torch.from_numpy(image)[None], (pixel, pixel)))
        if len(batch) == size:
            yield torch.cat(batch).to(place.device)
            batch = []
    if batch:
        yield torch.cat(batch).to(place.device)


def _altered(store: SliceStore, indices: np.ndarray, place: DeviceSetup, seed: int):
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, len(indices), 32):
        part = indices[start : start + 32]
        yield store.batch(part, Augmentation(), generator, place.device)[0]


def _stacks(store: SliceStore, indices: np.ndarray) -> list[np.ndarray]:
    """Positions of the slices of each volume, in order, evenly spread over the volumes."""
    ordered = indices[np.lexsort((store.slices[indices], store.volumes[indices]))]
    parts = np.split(ordered, np.flatnonzero(np.diff(store.volumes[ordered])) + 1)
    return [parts[i] for i in np.linspace(0, len(parts) - 1, min(60, len(parts))).astype(int)]


def _set_axes(familiarity: Familiarity, real: torch.Tensor) -> None:
    mean = real.mean(0)
    _, spread_, axes = torch.linalg.svd(real - mean, full_matrices=False)
    k = len(familiarity.axes)
    deviation = spread_[:k] / len(real) ** 0.5
    familiarity.mean.copy_(mean)
    familiarity.axes.copy_(axes[:k] / deviation.clamp_min(1e-3 * deviation.max())[:, None])
    rest = (real - mean) - ((real - mean) @ axes[:k].T) @ axes[:k]
    familiarity.rest.copy_(rest.square().sum(1).mean().clamp_min(1e-6))


def _set_rule(familiarity: Familiarity, real: torch.Tensor, unfamiliar: torch.Tensor) -> None:
    """Logistic regression, both kinds weighing alike, leaning towards weights of zero."""
    x = torch.cat([familiarity.measures(real), familiarity.measures(unfamiliar)]).double()
    y = torch.cat([torch.zeros(len(real)), torch.ones(len(unfamiliar))]).double()
    weight = torch.where(y > 0, 0.5 / len(unfamiliar), 0.5 / len(real))
    middle, scale = x.mean(0), x.std(0).clamp_min(1e-3)
    x = (x - middle) / scale
    found = torch.zeros(x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([found], max_iter=150, line_search_fn="strong_wolfe")

    def cost() -> torch.Tensor:
        search.zero_grad()
        logits = x @ found[:-1] + found[-1]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y, weight, reduction="sum")
        total = loss + 2e-4 * found[:-1].square().sum()
        total.backward()
        return total

    search.step(cost)
    with torch.no_grad():
        familiarity.weight.copy_(found[:-1] / scale)
        familiarity.bias.copy_(found[-1] - (found[:-1] / scale * middle).sum())
