"""What adapting a checkpoint gave: the figures before and after, in words and in its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from MotionQALib.checkpoints import NOTICE, Card

from ..data.datasets import SliceStore
from ..evaluation import metrics
from .gain import HeldOut, surprises


def judged(
    store: SliceStore,
    volumes: Sequence[np.ndarray],
    slices: np.ndarray,
    of_volumes: Sequence[np.ndarray],
    indices: np.ndarray | None = None,
) -> HeldOut:
    """Results on the volumes that are labelled as a whole, or of slices where none is.

    Parameters
    ----------
    volumes : positions in the store of each such volume's slices
    slices : probabilities (n, 5) of all slices
    of_volumes : probabilities (5,) of each volume
    indices : the slices that count where no volume does; by default all
    """
    if volumes:
        first = [rows[0] for rows in volumes]
        levels = np.array([store.volume_levels[str(store.images[row])] for row in first])
        probabilities, subjects = np.array(of_volumes), store.subjects[first]
    else:
        indices = np.arange(len(store)) if indices is None else indices
        levels, probabilities = store.levels[indices], slices[indices]
        subjects = store.subjects[indices]
    figures = metrics.evaluate(levels, probabilities, subjects)
    figures["nll"] = metrics.Interval(float(surprises(levels, probabilities).mean()))
    return HeldOut(levels, probabilities, subjects, figures)


def table(before: HeldOut, after: HeldOut) -> str:
    """Before and after side by side, as Markdown."""
    titles = {**metrics.TITLES, "nll": "Mean −log likelihood of the labels"}
    systems = {"Before": before.figures, "After": after.figures}
    return metrics.table(systems, "markdown", titles)


def adapted(
    new: Card,
    old: Card,
    output: Path,
    what: str,
    store: SliceStore,
    before: HeldOut,
    after: HeldOut,
    is_better: bool,
    said: Sequence[str],
    is_simulated: bool,
) -> Card:
    """The card after adapting: what was done, with which labels, and what it gave.

    Parameters
    ----------
    new, old : cards after, with what was fitted, and before
    what : "calibration", "head" or "all"
    is_better : whether the new one is to be used in place of the old one
    said : sentences on it for people
    is_simulated : whether the labels are the simulator's, not readers'
    """
    unit = "volume" if store.volume_levels else "slice"
    n, readers = len(set(store.images)), "simulated motion" if is_simulated else "readers' scores"
    done = {
        "from": old.name,
        "date": date.today().isoformat(),
        "what": what,
        "labels": "simulated" if is_simulated else "rated",
        "volumes": n,
        "subjects": len(set(store.subjects)),
        "before": {name: value.to_list() for name, value in before.figures.items()},
        "after": {name: value.to_list() for name, value in after.figures.items()},
        "better": is_better,
        "said": list(said),
    }
    learned = what != "calibration" and not is_simulated
    origin = "" if old.motion == "rated" else "trained on simulated motion; "
    verb = "calibrated" if what == "calibration" else "adapted"
    return replace(
        new,
        name=output.stem,
        title=f"{old.title}, {verb} to {n} volumes",
        motion="rated" if learned else old.motion,
        notice=f"{origin}{verb} on {readers} of {n} volumes; {NOTICE}",
        training={**new.training, "adapted": done},
        metrics={
            f"{unit}_{name}": value.to_list()
            for name, value in after.figures.items()
            if name != "nll"
        },
    )
