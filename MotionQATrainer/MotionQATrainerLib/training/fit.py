"""`fit`: from labelled images to a checkpoint that MotionQA grades with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from MotionQALib import backbones, checkpoints
from MotionQALib.checkpoints import Card
from MotionQALib.devices import DeviceSetup, find_device
from MotionQALib.error_text import sentence
from MotionQALib.volumes import VolumeError

from ..data.check import check
from ..data.datasets import SliceStore
from ..data.labels import read_labels, simulated
from ..data.splits import Split, inherited, split_file
from ..evaluation.training_report import write_report
from ..runs.journal import Journal
from ..runs.progress import Event, Progress, Stopped, silent
from ..runs.run_folder import BEST, LOG, REPORT, SETTINGS, SPLIT, STATE, RunFolder
from ..runs.run_state import read_facts
from ..runs.tensorboard import with_tensorboard
from ..runs.training_error import TrainingError
from ..runs.training_request import TrainingRequest
from . import sources
from .distributed import World
from .finishing import draft_card, finish
from .loop import Loop
from .optimisation import freeze, training_setup
from .run_guard import checked_output, ending_well, open_folder, refuse_full_disk
from .training_settings import Settings


@dataclass(frozen=True)
class Fitted:
    """What a training run leaves: the checkpoint, its card, and the folder with its log."""

    checkpoint: Path
    card: Card
    folder: Path


def fit(
    data: str | Path,
    labels: str | Path | None,
    output: str | Path,
    settings: Settings | None = None,
    *,
    split: str | Path | Split | None = None,
    init: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
    cancelled: Callable[[], bool] = lambda: False,
    afterwards: Callable[[Progress], None] = lambda progress: None,
    remarks: Sequence[str] = (),
    began: Mapping[str, str] | None = None,
) -> Fitted:
    """Train a network and write ``output``, a .safetensors checkpoint; its split beside it.

    Beside it too: the run's folder, of the same name (`run_folder`). Under ``torchrun`` several
    processes share the work (`distributed`).

    Parameters
    ----------
    data : folder with the images
    labels : CSV file, any of the forms of `labels.read_labels`; None: the images are clean, and
        motion is simulated on them anew in each epoch
    split : the subjects' parts, or a file of them; by default drawn by the settings' shares
    init : checkpoint (name or file) of the same backbone to start from
    resume : go on from the state in the run's folder, where there is one
    overwrite : start anew even where an unfinished run would be lost
    cache : folder for resampled slices; by default ``cache`` beside the output
    progress : called with every `Event`
    cancelled : asked between steps; True stops, with the state saved; so does a file named
        ``stop`` in the run's folder
    afterwards : called when ``output`` is written, as a part of the run, by the first process
    remarks : sentences that are said first
    began : of the request that repeats the run, what takes the place of ``init``

    Raises
    ------
    SettingsError, DataError, LabelError, SplitError, StateError, TrainingError, Stopped
    """
    settings = settings or Settings()
    output = checked_output(output)
    # Before the run's folder is emptied: it may lie there.
    split = Split.load(split) if isinstance(split, (str, Path)) else split
    if labels is None or simulated(read_labels(labels)):  # the card's notice hangs on it
        settings = settings.changed({"model.motion": "simulated"})
    world, folder = World.join(), RunFolder(output)
    if world.writes:
        if labels is not None:
            distinct = settings.data.distinct_subjects
            check(data, labels, split, read=False, distinct_subjects=distinct).refuse()
        going_on = open_folder(folder, settings, resume, overwrite)
    journal = Journal(folder.path, progress, fresh=not going_on) if world.writes else silent
    world.wait()

    def asked() -> bool:
        return cancelled() or folder.asked_to_stop()

    def reading(event: Event) -> None:
        journal(event)
        if asked():
            raise Stopped("Training was stopped before its first step.")

    with ending_well(folder, journal, world):
        for remark in remarks:
            journal(Event("data", remark))
        if labels is None:
            local = world.device(device)
            found = sources.simulated(data, split, folder.path, settings, local)
        else:
            cache = Path(cache) if cache else output.parent / "cache"
            reader = (data, labels, split, folder.path, settings, cache, reading)
            found = world.after_first(lambda: sources.labelled(*reader))
        source, store, split = found
        journal(Event("data", sources.describe(store, split)))
        world.wait()  # nobody reads the folder's split any more
        if world.writes:
            request = TrainingRequest(
                data=data, labels=labels, output=output, settings_file=folder / SETTINGS,
                split=folder / SPLIT, cache=cache, device=device, processes=world.size,
                **(began or {"init": init}),
            )  # fmt: skip
            folder.write_command(request.to_command())
        fitted = train(
            output, folder.path, source, store, split, settings, init=init, device=device,
            progress=journal, cancelled=asked, world=world,
        )  # fmt: skip
        if world.writes:
            afterwards(journal)
        return fitted


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
    world: World | None = None,
) -> Fitted:
    """Train on a source; ``store`` holds what it is validated and calibrated on."""
    world = world or World()
    if world.size > settings.training.batch_size:
        raise TrainingError(
            f"{world.size} processes cannot share batches of {settings.training.batch_size}; "
            "set training.batch_size higher."
        )

    def describe_run() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings.save(folder / SETTINGS)
        split.save(folder / SPLIT)

    def asked() -> bool:
        # Whoever removed the folder of a run that goes on gets it again, with the next state.
        if world.writes and not (folder / SETTINGS).exists():
            describe_run()
        return cancelled()

    if world.writes:
        describe_run()
    torch.manual_seed(settings.training.seed)
    torch.backends.cudnn.deterministic = True  # for the same numbers after a resume
    # Weights from a hub are fetched once, and found by the others.
    model, origin = world.after_first(lambda: start_model(settings, init))
    progress(Event("train", origin))
    freeze(model, settings.training.frozen)
    refuse_full_disk(folder, model)
    place = _place(model, folder, settings, device, world)
    progress(Event("train", _told(place, world)))
    model, remark = world.normalised_together(model, place.device)
    if remark:
        progress(Event("train", remark))
    resumed = (folder / STATE).exists()
    step = _step_of(folder / STATE, source) if resumed else 0
    if world.writes:
        progress = with_tensorboard(folder / "tensorboard", progress, step)
    valid = store, split.indices(store.subjects, "valid")
    card = draft_card(output, store, split, settings)
    loop = Loop(place.settle(model), place, source, valid, settings, folder, progress, asked,
                card, world)  # fmt: skip
    if resumed:
        loop.resume()
    world.wait()  # until all have read the state
    try:
        loop.run()
    except BrokenPipeError:  # whoever read its lines has gone
        raise
    except (OSError, VolumeError) as error:  # a folder, a disk or a network drive that is gone
        raise TrainingError(
            f"Training stopped: {sentence(error)} The last state that was written is kept in "
            f"{folder}; go on with --resume when this is mended."
        ) from error
    if world.writes:
        seen = split if init is None else inherited(split, checkpoints.resolve(init))
        _finish(output, folder, model, place, store, split, seen, settings, origin, progress)
    world.wait()
    return Fitted(output, checkpoints.read_card(output), folder)


def _finish(output, folder, model, place, store, split, seen, settings, origin, progress) -> None:
    if not (folder / BEST).exists():
        raise TrainingError(f"No epoch could be validated; see {folder / LOG}.")
    model.load_state_dict(load_file(str(folder / BEST)))
    progress(Event("finish", "Calibrating on the validation subjects."))
    card = finish(output, model, place, store, split, settings, origin, store.remarks)
    seen.save(split_file(output))
    progress(Event("finish", f"Wrote {output}."))
    write_report(folder / REPORT, card, model, place, store, seen, folder)


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


def _place(
    model: nn.Module, folder: Path, settings: Settings, device: str, world: World
) -> DeviceSetup:
    """Where to train; a resumed run computes as it began, or its numbers would change."""
    where, _ = find_device(world.device(device))
    if (folder / STATE).exists():
        facts = read_facts(folder / STATE)
        return DeviceSetup(where, facts["precision"], facts["channels_last"])
    size, wanted = settings.model.preprocessing.size, settings.training.precision
    place = training_setup(model, where, wanted, size) if world.writes else None
    precision, channels_last = world.first(place and (place.precision, place.channels_last))
    return DeviceSetup(where, precision, channels_last)


def _step_of(state: Path, source) -> int:
    """How far a run came that learned from the same."""
    facts = read_facts(state)
    if facts.get("data", source.digest) != source.digest:
        raise TrainingError(
            "The images or their labels are not those that this run began with; resume with the "
            "same, or start anew without resuming."
        )
    return facts["step"]


def _told(place: DeviceSetup, world: World) -> str:
    layout = ", channels last" if place.channels_last else ""
    shared = f", {world.size} processes" if world.size > 1 else ""
    return f"Training on {place.device} in {place.precision}{layout}{shared}."
