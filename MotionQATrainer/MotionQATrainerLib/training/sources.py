"""Where a training run's slices come from: labelled images, or clean ones in simulated motion."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MotionQALib.devices import find_device

from ..data.datasets import SliceStore, open_store, refuse_same_images
from ..data.leaks import refuse_similar_subjects
from ..data.splits import Split, by_fractions, worst_grades
from ..runs.progress import Event, Progress
from ..runs.run_folder import SPLIT
from ..runs.training_error import TrainingError
from .training_settings import Settings


@dataclass(frozen=True)
class Labelled:
    """Slices with labels of their own: the same store in every epoch."""

    store: SliceStore
    split: Split

    def epoch(self, number: int) -> tuple[SliceStore, np.ndarray]:
        return self.store, self.split.indices(self.store.subjects, "train")

    @property
    def digest(self) -> str:
        """Of which slices there are, whose, what they show, and how they are labelled."""
        store = self.store
        rows = zip(store.images, store.subjects, store.frames, store.slices, strict=True)
        text = "\n".join("\t".join(map(str, row)) for row in rows)
        content = text.encode() + np.packbits(store.levels).tobytes() + store.content.encode()
        return hashlib.blake2b(content, digest_size=10).hexdigest()


def labelled(
    data: str | Path,
    labels: str | Path,
    split: Split | None,
    folder: Path,
    settings: Settings,
    cache: Path,
    progress: Progress,
) -> tuple[Labelled, SliceStore, Split]:
    """Source, store and split of labelled images; what was left out is told."""
    store = open_store(
        data,
        labels,
        settings.model.preprocessing,
        margin=settings.data.margin,
        cache=cache,
        progress=lambda done, total: progress(Event("data", done=done, total=total)),
    )
    for remark in store.remarks:
        progress(Event("data", remark))
    worst = worst_grades(store.subjects, store.levels)
    split = _split(split, folder, set(store.subjects), settings, worst)
    refuse_same_images(store, split)
    return Labelled(store, split), store, split


def simulated(data: str | Path, split: Split | None, folder: Path, settings: Settings, device: str):
    """Source, reference store and split of clean images."""
    from ..data.clean_patients import find_patients
    from ..simulation.simulator import MotionSimulator
    from .on_the_fly import Simulated

    patients = find_patients(data)
    names = {patient.name for patient in patients}
    split = _split(split, folder, names, settings)
    refuse_similar_subjects(names, split, settings.data.distinct_subjects)
    source = Simulated(patients, split, settings, MotionSimulator(find_device(device)[0]))
    return source, source.reference(), split


def describe(store: SliceStore, split: Split) -> str:
    """How much there is to learn from, in a sentence."""
    parts = []
    for part, purpose in (("train", "training"), ("valid", "validation"), ("test", "testing")):
        indices = split.indices(store.subjects, part)
        subjects = len(set(store.subjects[indices]))
        word = "subject" if subjects == 1 else "subjects"
        parts.append(f"{purpose} {len(indices)} of {subjects} {word}")
    return f"Slices for {', '.join(parts)}."


def _split(split, folder: Path, subjects: set[str], settings: Settings, worst=None) -> Split:
    saved = folder / SPLIT
    if saved.exists():  # a resumed run keeps its own
        split = Split.load(saved)
    if split is None:
        shares = {"valid": settings.data.validation, "test": settings.data.test}
        split = by_fractions(subjects, worst=worst, seed=settings.training.seed, **shares)
    split.check(subjects)
    for part in ("train", "valid"):
        if not subjects & set(getattr(split, part)):
            raise TrainingError(
                f"None of the split's {part} subjects is in the data; make another split."
            )
    return split
