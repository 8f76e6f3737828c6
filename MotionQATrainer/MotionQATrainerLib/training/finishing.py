"""From trained weights to a checkpoint: calibration, the rule for volumes, and the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np
from torch import nn

from MotionQALib import checkpoints
from MotionQALib.checkpoints import Card
from MotionQALib.devices import DeviceSetup
from MotionQALib.scale import softmax
from MotionQALib.volume_rule import VolumeRule

from ..data.datasets import SliceStore
from ..data.splits import Split
from ..evaluation import metrics
from ..evaluation.calibration import fit_temperature, fit_uncertain_above
from ..evaluation.prediction import figures, predict, spread
from .settings import Settings

ENOUGH_VOLUMES = 30
"""Validation volumes that suffice for the rule; below, those that trained are taken along."""

TRAINING_SLICES = 4000
"""Training slices that are graded again to tell how well they are known."""


def finish(
    output: Path,
    model: nn.Module,
    place: DeviceSetup,
    store: SliceStore,
    split: Split,
    settings: Settings,
    origin: str,
    notes: Sequence[str] = (),
) -> Card:
    """Calibrate on the validation subjects, write the checkpoint, and return its card.

    Parameters
    ----------
    model : the best weights, settled in ``place``
    store : slices of the training and validation subjects at least
    origin : sentence on the weights it started from
    """
    train = spread(split.indices(store.subjects, "train"), TRAINING_SLICES)
    valid = split.indices(store.subjects, "valid")
    logits = predict(model, place, store, valid)
    temperature = fit_temperature(logits, store.levels[valid])
    probabilities = softmax(logits, temperature)
    threshold = fit_uncertain_above(probabilities, store.levels[valid])
    rule = volume_rule(model, place, store, split, temperature, (valid, probabilities))
    seen = figures(predict(model, place, store, train), store.levels[train])
    found = figures(logits, store.levels[valid])
    card = _card(output, store, split, settings, temperature, threshold.uncertain_above, rule)
    card.training.update(
        weights=origin,
        notes=[*notes, str(threshold)],
        train_accuracy=seen.accuracy,
        train_kappa=seen.kappa,
        valid_accuracy=found.accuracy,
        valid_kappa=found.kappa,
    )
    intervals = metrics.evaluate(store.levels[valid], probabilities, store.subjects[valid])
    card.training["valid_slices"] = {key: value.to_list() for key, value in intervals.items()}
    checkpoints.save(output, model, card)
    return card


def draft_card(output: Path, store: SliceStore, split: Split, settings: Settings) -> Card:
    """Card of a network that is still being trained: it grades, but nothing is calibrated."""
    card = _card(output, store, split, settings, 1.0, 0.5, VolumeRule())
    return replace(card, notice=f"not calibrated, training goes on; {card.notice}")


def volume_rule(
    model: nn.Module,
    place: DeviceSetup,
    store: SliceStore,
    split: Split,
    temperature: float,
    valid: tuple[np.ndarray, np.ndarray],
) -> VolumeRule:
    """Fit the rule from slices to volumes on volumes that are labelled as a whole.

    The test subjects have no part in it. A network is too sure of slices that it was trained on,
    so the validation subjects' volumes are used wherever there are enough of them.
    """
    volumes, levels = labelled_volumes(store, *valid)
    if len(volumes) < ENOUGH_VOLUMES:
        train = split.indices(store.subjects, "train")
        probabilities = softmax(predict(model, place, store, train), temperature)
        more, more_levels = labelled_volumes(store, train, probabilities)
        volumes, levels = volumes + more, levels + more_levels
    return VolumeRule.fit(volumes, np.array(levels))


def labelled_volumes(
    store: SliceStore, indices: np.ndarray, probabilities: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Slices' probabilities (slices, 5), in order, and levels (5,) of each labelled volume."""
    position = np.empty(len(store), dtype=int)
    position[indices] = np.arange(len(indices))
    rows = volume_rows(store, indices)
    levels = [store.volume_levels[str(store.images[of[0]])] for of in rows]
    return [probabilities[position[of]] for of in rows], levels


def volume_rows(store: SliceStore, indices: np.ndarray) -> list[np.ndarray]:
    """Positions in the store of each volume's slices, in order, where it is labelled as a whole."""
    if not len(indices):
        return []
    ordered = indices[np.lexsort((store.slices[indices], store.volumes[indices]))]
    starts = np.flatnonzero(np.diff(store.volumes[ordered])) + 1
    parts = np.split(ordered, starts)
    return [rows for rows in parts if str(store.images[rows[0]]) in store.volume_levels]


def _card(output, store, split, settings, temperature, uncertain_above, rule) -> Card:
    model = settings.model
    simulated = model.motion == "simulated"
    name = model.name or output.stem
    return Card(
        name=name,
        title=model.title or f"{name} ({model.backbone})",
        backbone=model.backbone,
        preprocessing=store.preprocessing.to_dict(),
        volume_rule=rule.to_dict(),
        temperature=temperature,
        uncertain_above=uncertain_above,
        motion=model.motion,
        training={
            "data": model.data,
            "date": date.today().isoformat(),
            "subjects": {part: len(getattr(split, part)) for part in ("train", "valid", "test")},
            "slices": {
                part: len(split.indices(store.subjects, part))
                for part in ("train", "valid", "test")
            },
            "settings": {
                "training": asdict(settings.training),
                "augmentation": settings.to_dict()["augmentation"],
            },
        },
        licence=model.licence,
        notice=checkpoints.SIMULATED_NOTICE if simulated else checkpoints.NOTICE,
    )
