"""`evaluate`: how good a checkpoint is on subjects that it was not trained on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from MotionQALib import checkpoints
from MotionQALib.assessment import Assessor
from MotionQALib.subjects import similar_subjects

from ..data.clean_patients import CleanPatient, find_patients
from ..data.datasets import SliceStore, open_store
from ..data.labels import read_labels
from ..data.matching import DataError, first_few, labelled_images
from ..data.splits import Split, split_file
from ..runs.progress import Event, Progress, silent
from . import metrics
from .baselines import Baseline, FrozenNetwork, ImageQualityForest, Slices
from .findings import NETWORK, Evaluation, Results
from .labelled_predictions import LabelledPredictions, grade
from .prediction import spread
from .predictions_file import write_predictions
from .sensitivity import amplitude_sweep, share_graded_mild
from .stress import Finding, stress

BASELINE_VOLUMES = 400
"""Volumes that the baselines are fitted on, evenly spread: they gain nothing from more."""


def evaluate(
    checkpoint: str | Path,
    data: str | Path,
    labels: str | Path,
    *,
    subjects: Iterable[str] | None = None,
    split: str | Path | None = None,
    part: str = "test",
    clean: str | Path | None = None,
    sweep: bool = False,
    baselines: Sequence[Baseline] | None = None,
    train: tuple[str | Path, str | Path] | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    predictions: str | Path | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Grade the labelled images of some subjects, as users' images are graded, and compare.

    Parameters
    ----------
    checkpoint : name or file
    data, labels : folder of images, and CSV file
    subjects : whom to grade; by default those of ``part`` of the split
    split : file of subjects' parts; by default the one beside the checkpoint
    part : "train", "valid", "test" or "all"
    clean : folder of untouched volumes; ``sweep`` simulates rising motion on them
    baselines : graded beside the network, fitted on the split's training subjects; by default
        image-quality measures with a forest, and frozen ImageNet features
    train : data and labels that the baselines are fitted on, if not ``data`` and ``labels``
    cache : folder for the baselines' slices; by default that of the training run, if it is there
    predictions : CSV file for the network's probabilities beside the labels (`predictions_file`)

    Raises
    ------
    CheckpointError, LabelError, DataError, SplitError, DeviceError
    """
    path = checkpoints.resolve(checkpoint)
    images = labelled_images(data, labels)
    spoken = [label for of in images.labels.values() for label in of]
    known = _split(path, split)
    chosen, remark = choose({label.subject for label in spoken}, known, part, subjects)
    untouched, more = ([], []) if clean is None else _untouched(clean, known, part)
    remark += [text for text in [*more, *images.doubts] if text not in remark]
    assessor = Assessor(path, device=device)
    graded = grade(
        assessor,
        data,
        [label for label in spoken if label.subject in chosen],
        lambda done, total: progress(Event("grade", done=done, total=total)),
    )
    result = Evaluation(
        checkpoint=assessor.card.name,
        subjects=sorted({*graded.slices.subjects, *graded.volumes.subjects}),
        n_volumes=len(graded.volumes),
        n_slices=len(graded.slices),
        volumes=_figures(NETWORK, graded.volumes),
        slices=_figures(NETWORK, graded.slices),
        remarks=[*remark, *graded.remarks],
    )
    if not result.subjects:
        raise DataError(" ".join(["No image could be graded.", *first_few(graded.remarks)]))
    if predictions is not None:
        write_predictions(predictions, graded)
    if baselines is None:
        baselines = [ImageQualityForest(), FrozenNetwork()]
    if baselines:
        fitted_on = train or (data, labels)
        with _cache(cache, path.parent / "cache") as folder:
            _add_baselines(
                result, baselines, assessor.card, (data, labels), fitted_on, known, chosen,
                folder, progress,
            )  # fmt: skip
    if clean is not None:
        _add_clean(result, assessor, untouched, sweep, progress)
    return result


def stressed(
    checkpoint: str | Path,
    clean: str | Path,
    *,
    split: str | Path | None = None,
    part: str = "test",
    device: str = "auto",
    progress: Progress = silent,
) -> list[Finding]:
    """What the grades hang on and should not, on untouched volumes (`stress.stress`).

    Parameters and errors as of `evaluate`.
    """
    path = checkpoints.resolve(checkpoint)
    patients, _ = _untouched(clean, _split(path, split), part)
    assessor = Assessor(path, device=device)
    return stress(
        assessor,
        patients,
        progress=lambda done, total: progress(Event("stress", done=done, total=total)),
    )


def choose(
    present: set[str], split: Split | None, part: str, subjects: Iterable[str] | None = None
) -> tuple[set[str], list[str]]:
    """Whom of the present subjects to grade, and a sentence where that is not what was asked."""
    if subjects is not None:
        chosen = present & set(subjects)
    elif part == "all":
        chosen = present
    elif split is None:
        return present, ["No split is beside the checkpoint: all subjects are graded."]
    elif not any(split.part_of(subject) for subject in present):
        said = ["None of the subjects is in the split, so all are new and graded."]
        return present, said + _kin_of_the_trained(present, split)
    else:
        chosen = present & set(getattr(split, part))
    if not chosen:
        raise DataError("None of the subjects asked for has a label; check the split and the part.")
    return chosen, _kin_of_the_trained(chosen, split) if part == "test" else []


def _kin_of_the_trained(chosen: set[str], split: Split | None) -> list[str]:
    """A sentence where somebody to be graded looks like one whom the weights have seen."""
    seen = set() if split is None else {*split.train, *split.valid}
    for group in similar_subjects(chosen | seen):
        tested, trained = (sorted({*group} & of) for of in (chosen - seen, seen))
        if tested and trained:
            return [
                f"{tested[0]} looks like {trained[0]}, on whom the network was trained: if they "
                "are one person, the figures are too good."
            ]
    return []


def _split(path: Path, split: str | Path | None) -> Split | None:
    if split is not None:
        return Split.load(split)
    beside = split_file(path)
    return Split.load(beside) if beside.is_file() else None


@contextmanager
def _cache(given: str | Path | None, beside: Path) -> Iterator[Path]:
    """The cache asked for, else the one that training left, else one that is removed again."""
    if given is not None or beside.is_dir():
        yield Path(given or beside)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _figures(system: str, labelled: LabelledPredictions) -> Results:
    if not len(labelled):
        return {}
    found = metrics.evaluate(
        np.array(labelled.levels), np.array(labelled.probabilities), labelled.subjects
    )
    return {system: found}


def _add_baselines(
    result: Evaluation, baselines, card, tested, fitted_on, split, chosen, cache, progress
) -> None:
    """Fit each baseline on the training subjects and grade the same images with it."""
    stores = [
        open_store(*files, card.network_input, margin=0, cache=cache)
        for files in dict.fromkeys((tested, fitted_on))
    ]
    training = _training_volumes(stores[-1], split, chosen)
    if training is None:
        result.remarks.append("No baselines: there are no training subjects to fit them on.")
        return
    train = Slices.of(stores[-1], training)
    test = Slices.of(stores[0], np.flatnonzero(np.isin(stores[0].subjects, list(chosen))))
    of_slices = _with_own_labels(tested[1])
    for baseline in baselines:
        progress(Event("baselines", f"Fitting the baseline: {baseline.title}."))
        found = baseline.fit(train).predict(test)
        if of_slices:
            result.slices[baseline.title] = metrics.evaluate(
                test.levels, found.slices, test.subjects
            )
        names = [name for name in found.volumes if name in test.volume_levels]
        if names:
            subject_of = dict(zip(test.volumes.tolist(), test.subjects.tolist(), strict=True))
            result.volumes[baseline.title] = metrics.evaluate(
                np.array([test.volume_levels[name] for name in names]),
                np.array([found.volumes[name] for name in names]),
                [subject_of[name] for name in names],
            )


def _training_volumes(
    store: SliceStore, split: Split | None, tested: set[str]
) -> np.ndarray | None:
    """Slices of the training subjects' volumes; of nobody who is tested."""
    names = set(split.train) - tested if split else set()
    indices = np.flatnonzero(np.isin(store.subjects, list(names)))
    if len(set(store.subjects[indices])) < 2:
        return None
    chosen = spread(np.unique(store.volumes[indices]), BASELINE_VOLUMES)
    return indices[np.isin(store.volumes[indices], chosen)]


def _with_own_labels(labels: str | Path) -> bool:
    return any(label.slice is not None for label in read_labels(labels))


def _untouched(
    clean: str | Path, split: Split | None, part: str
) -> tuple[list[CleanPatient], list[str]]:
    """Clean patients of a part, found before anything is graded, and what `choose` says."""
    patients = find_patients(clean)
    try:
        names, remark = choose({patient.name for patient in patients}, split, part)
    except DataError as error:
        raise DataError(
            f"{clean} holds no patient of the part {part}; choose another folder or part."
        ) from error
    return [patient for patient in patients if patient.name in names], remark


def _add_clean(result: Evaluation, assessor, patients, sweep, progress) -> None:
    def counted(done: int, total: int) -> None:
        progress(Event("clean", done=done, total=total))

    result.clean, others = share_graded_mild(assessor, patients, counted)
    if others:
        result.remarks.append(f"Untouched, but not graded mild: {', '.join(others)}.")
    if sweep:
        result.sweep = amplitude_sweep(assessor, patients, progress=counted)
