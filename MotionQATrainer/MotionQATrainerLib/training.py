"""`fit`: from labelled images to a checkpoint that MotionQA grades with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from MotionQALib import backbones, checkpoints
from MotionQALib.checkpoints import Card
from MotionQALib.devices import Place, find_device

from .datasets import SliceStore, open_store
from .finishing import finish
from .labels import read_labels, simulated
from .loop import BEST, LOG, STATE, Loop, TrainingError
from .optimisation import training_place
from .progress import Event, Progress, silent
from .run_state import read_facts
from .settings import Settings
from .splits import Split, by_fractions, split_file, worst_grades

SETTINGS = "settings.toml"


@dataclass(frozen=True)
class Fitted:
    """What a training run leaves: the checkpoint, its card, and the folder with its log."""

    checkpoint: Path
    card: Card
    folder: Path


@dataclass(frozen=True)
class Labelled:
    """Slices with labels of their own: the same store in every epoch."""

    store: SliceStore
    split: Split

    def epoch(self, number: int) -> tuple[SliceStore, np.ndarray]:
        return self.store, self.split.indices(self.store.subjects, "train")


def fit(
    data: str | Path,
    labels: str | Path | None,
    output: str | Path,
    settings: Settings | None = None,
    *,
    split: str | Path | Split | None = None,
    init: str | Path | None = None,
    resume: bool = False,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Fitted:
    """Train a network and write ``output``, a .safetensors checkpoint; its split beside it.

    Beside it too: a folder of the same name with the settings, the log and the state that a
    stopped or killed run resumes from.

    Parameters
    ----------
    data : folder with the images
    labels : CSV file, any of the forms of `labels.read_labels`; None: the images are clean, and
        motion is simulated on them anew in each epoch
    split : the subjects' parts, or a file of them; by default drawn by the settings' shares
    init : checkpoint (name or file) of the same backbone to start from
    resume : go on from the state in the run's folder, where there is one
    cache : folder for resampled slices; by default ``cache`` beside the output
    progress : called with every `Event`
    cancelled : asked between steps; True stops, with the state saved

    Raises
    ------
    SettingsError, DataError, LabelError, SplitError, StateError, TrainingError, Cancelled
    """
    settings = settings or Settings()
    output = checked_output(output)
    if isinstance(split, (str, Path)):  # before the run's folder is emptied: it may lie there
        split = Split.load(split)
    if labels is None or simulated(read_labels(labels)):  # the card's notice hangs on it
        settings = settings.changed({"model.motion": "simulated"})
    folder = run_folder(output, settings, resume)
    if labels is None:
        source, store, split = _simulated(data, split, folder, settings, device)
    else:
        cache = Path(cache) if cache else output.parent / "cache"
        source, store, split = _labelled(data, labels, split, folder, settings, cache, progress)
    progress(Event("data", describe(store, split)))
    return train(output, folder, source, store, split, settings,
                 init=init, device=device, progress=progress, cancelled=cancelled)  # fmt: skip


def train(
    output: Path,
    folder: Path,
    source,
    store: SliceStore,
    split: Split,
    settings: Settings,
    *,
    init: str | Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Fitted:
    """Train on a source; ``store`` holds what it is validated and calibrated on."""
    settings.save(folder / SETTINGS)
    split.save(folder / "split.json")
    torch.manual_seed(settings.training.seed)
    torch.backends.cudnn.deterministic = True  # for the same numbers after a resume
    model, origin = start_model(settings, init)
    progress(Event("train", origin))
    place = _place(model, folder, settings, device)
    progress(Event("train", _told(place)))
    valid = store, split.indices(store.subjects, "valid")
    loop = Loop(place.settle(model), place, source, valid, settings, folder, progress, cancelled)
    if (folder / STATE).exists():
        loop.resume()
    loop.run()
    if not (folder / BEST).exists():
        raise TrainingError(f"No epoch could be validated; see {folder / LOG}.")
    model.load_state_dict(load_file(str(folder / BEST)))
    progress(Event("finish", "Calibrating on the validation subjects."))
    card = finish(output, model, place, store, split, settings, origin, store.remarks)
    split.save(split_file(output))
    progress(Event("finish", f"Wrote {output}."))
    return Fitted(output, card, folder)


def checked_output(output: str | Path) -> Path:
    """The checkpoint's path. Raises TrainingError for one that no checkpoint can have."""
    output = Path(output)
    if output.suffix != checkpoints.SUFFIX:
        raise TrainingError(f"{output}: a checkpoint's name ends in {checkpoints.SUFFIX}.")
    if output.is_dir():
        raise TrainingError(f"{output} is a folder; give a file's name.")
    return output


def run_folder(output: Path, settings: Settings, resume: bool) -> Path:
    """The run's folder, emptied unless it is resumed. Raises TrainingError."""
    folder = output.with_suffix("")
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder} is in the way of the run's folder; choose another output.")
    if folder.exists() and any(folder.iterdir()) and not (folder / SETTINGS).exists():
        raise TrainingError(
            f"{folder} holds something else than a training run; choose another output."
        )
    if resume and (folder / STATE).exists():
        if Settings.load(folder / SETTINGS) != settings:
            raise TrainingError(
                f"The settings differ from those in {folder / SETTINGS}; resume with the same, "
                "or start anew without resuming."
            )
        return folder
    for name in (STATE, BEST, LOG, "split.json"):
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def start_model(settings: Settings, init: str | Path | None = None) -> tuple[nn.Module, str]:
    """The network to train and a sentence on the weights that it starts from."""
    name, size = settings.model.backbone, settings.model.preprocessing.size
    if init is None:
        model, origin = backbones.create(name, pretrained=settings.model.pretrained, size=size)
        # timm starts the classifier of some networks with logits of several units.
        for parameter in model.get_classifier().parameters():
            nn.init.trunc_normal_(parameter, std=0.01)
        return model, origin
    card, model = checkpoints.load(checkpoints.resolve(init))
    if (card.backbone, card.network_input.size) != (name, size):
        raise TrainingError(
            f"{init} is {card.backbone} for {card.network_input.size} pixels, the settings ask "
            f"for {name} for {size}; make them the same."
        )
    return model, f"Weights of the checkpoint {card.name}."


def describe(store: SliceStore, split: Split) -> str:
    """How much there is to learn from, in a sentence."""
    parts = []
    for part, purpose in (("train", "training"), ("valid", "validation"), ("test", "testing")):
        indices = split.indices(store.subjects, part)
        subjects = len(set(store.subjects[indices]))
        word = "subject" if subjects == 1 else "subjects"
        parts.append(f"{purpose} {len(indices)} of {subjects} {word}")
    return f"Slices for {', '.join(parts)}."


def _labelled(data, labels, split, folder, settings, cache, progress):
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
    return Labelled(store, split), store, split


def _simulated(data, split, folder, settings, device):
    from .clean import find_patients
    from .on_the_fly import Simulated
    from .simulation import MotionSimulator

    patients = find_patients(data)
    split = _split(split, folder, {patient.name for patient in patients}, settings)
    source = Simulated(patients, split, settings, MotionSimulator(find_device(device)[0]))
    return source, source.reference(), split


def _split(split, folder: Path, subjects: set[str], settings: Settings, worst=None) -> Split:
    saved = folder / "split.json"
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


def _place(model: nn.Module, folder: Path, settings: Settings, device: str) -> Place:
    """Where to train; a resumed run computes as it began, or its numbers would change."""
    where, _ = find_device(device)
    if (folder / STATE).exists():
        facts = read_facts(folder / STATE)
        return Place(where, facts["precision"], facts["channels_last"])
    size = settings.model.preprocessing.size
    return training_place(model, where, settings.training.precision, size)


def _told(place: Place) -> str:
    layout = ", channels last" if place.channels_last else ""
    return f"Training on {place.device} in {place.precision}{layout}."
