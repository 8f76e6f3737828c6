"""From trained weights to a checkpoint: calibration, the rule for volumes, and the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from torch import nn

from MotionQALib import checkpoints
from MotionQALib.checkpoints import Card
from MotionQALib.devices import DeviceSetup
from MotionQALib.scale import GRADE_OF_SCORE, Grade, softmax
from MotionQALib.volume_rule import VolumeRule

from ..data.datasets import SliceStore
from ..data.splits import Split
from ..evaluation import metrics
from ..evaluation.calibration import fit_offsets, fit_temperature, fit_uncertainty_rule
from ..evaluation.prediction import figures, spread
from .adaptation import fit_head
from .familiarity_fit import fit_familiarity, look
from .training_settings import Settings

ENOUGH_VOLUMES = 30
"""Validation volumes that suffice for the rule; below, training volumes out of fold join them."""

FEWEST_OF_GRADE = 5
"""A grade of fewer volumes counts for less than the others: its few are not to set a threshold."""

FOLDS = 5

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
    held, logits = look(model, place, store, valid)
    known, train_logits = look(model, place, store, train)
    levels = store.levels[valid]
    seen = figures(train_logits, store.levels[train])
    found = figures(logits, levels)
    temperature = fit_temperature(logits, levels)
    offsets = fit_offsets(logits, levels, temperature)
    _shift(model, offsets)
    logits = logits + offsets
    temperature = fit_temperature(logits, levels)
    probabilities = softmax(logits, temperature)
    rule, fitted_on = volume_rule(model, place, store, split, temperature, (valid, probabilities))
    of_slices = fit_uncertainty_rule(probabilities, levels)
    whole, whole_levels = labelled_volumes(store, valid, probabilities)
    of_volumes = of_slices
    if len(whole) >= ENOUGH_VOLUMES:
        of_volumes = fit_uncertainty_rule(
            np.array([rule(volume) for volume in whole]), whole_levels
        )
    notes = [*notes, f"Of the validation slices {of_slices}.", fitted_on]
    if of_volumes is not of_slices:
        notes.append(f"Of the validation volumes {of_volumes}.")
    notes += filter(None, [fit_familiarity(model, place, store, train, known, held)])
    card = _card(output, store, split, settings, temperature, of_slices.uncertain_above, rule)
    card = replace(
        card,
        severe_above=of_slices.severe_above,
        volume_uncertain_above=of_volumes.uncertain_above,
        volume_severe_above=of_volumes.severe_above,
    )
    card.training.update(
        weights=origin,
        notes=notes,
        rule_fitted_on=fitted_on,
        train_accuracy=seen.accuracy,
        train_kappa=seen.kappa,
        valid_accuracy=found.accuracy,
        valid_kappa=found.kappa,
    )
    intervals = metrics.evaluate(levels, probabilities, store.subjects[valid])
    card.training["valid_slices"] = {key: value.to_list() for key, value in intervals.items()}
    checkpoints.save(output, model, card)
    return card


def _shift(model: nn.Module, offsets: np.ndarray) -> None:
    """Add the offsets to the logits, in the last layer."""
    bias = model.get_classifier().bias
    with torch.no_grad():
        bias += torch.from_numpy(offsets).to(bias)


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
) -> tuple[VolumeRule, str]:
    """Fit the rule from slices to volumes on volumes labelled as a whole, and say on which.

    Every grade counts alike (`grade_weights`): severe volumes are the fewest, and the rule that is
    likeliest for all would miss many of them. The test subjects have no part in it. A network is
    too sure of slices that it was trained on, so validation volumes are used, and where there are
    too few, training volumes whose slices are graded by a last layer that has not seen them
    (`_out_of_fold`).
    """
    volumes, levels = labelled_volumes(store, *valid)
    said = f"The volume rule was fitted on {len(volumes)} validation volumes."
    if len(volumes) < ENOUGH_VOLUMES:
        train = split.indices(store.subjects, "train")
        probabilities = _out_of_fold(model, place, store, train)
        if probabilities is not None:
            more, more_levels = labelled_volumes(store, train, probabilities)
            said = (
                f"The volume rule was fitted on {len(volumes)} validation volumes and on "
                f"{len(more)} training volumes, out of fold: each graded by a last layer that was "
                f"fitted anew without its subject, in {FOLDS} folds."
            )
            volumes, levels = volumes + more, levels + more_levels
    levels = np.array(levels, dtype=bool).reshape(-1, store.levels.shape[1])
    return VolumeRule.fit(volumes, levels, grade_weights(levels)), said


def grade_weights(levels: np.ndarray) -> np.ndarray:
    """How much each label counts, (n,), so that all grades count alike; `FEWEST_OF_GRADE` guards
    the rare one. A label of two grades weighs their mean."""
    share = np.stack([levels[:, grade == GRADE_OF_SCORE].any(axis=1) for grade in Grade], axis=1)
    return share @ (1 / np.maximum(share.sum(axis=0), FEWEST_OF_GRADE)) / share.sum(axis=1)


def _out_of_fold(
    model: nn.Module, place: DeviceSetup, store: SliceStore, train: np.ndarray
) -> np.ndarray | None:
    """Probabilities (n, 5) of training slices, each by a last layer fitted without its subject.

    The layers before it have seen the subject all the same. None for a single subject.
    """
    subjects = store.subjects[train]
    names = np.unique(subjects)
    if len(names) < 2:
        return None
    features = look(model, place, store, train)[0].double().numpy()
    zero = np.zeros((store.levels.shape[1], features.shape[1])), np.zeros(store.levels.shape[1])
    probabilities = np.empty((len(train), store.levels.shape[1]))
    for part in np.array_split(names, min(FOLDS, len(names))):
        held = np.isin(subjects, part)
        n_volumes = len(set(store.volumes[train[~held]]))
        weights, biases = fit_head(
            features[~held], store.levels[train[~held]], zero, max(1, n_volumes)
        )
        logits = features[held] @ weights.T + biases
        probabilities[held] = softmax(logits, fit_temperature(logits, store.levels[train[held]]))
    return probabilities


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
