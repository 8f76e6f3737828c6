"""`fine_tune`: a checkpoint adapted to the scores of one's own readers, as far as they reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from MotionQALib import checkpoints
from MotionQALib.checkpoints import Card
from MotionQALib.devices import DeviceSetup, find_device
from MotionQALib.scale import softmax

from ..data.check import check
from ..data.datasets import SliceStore, open_store, refuse_same_images
from ..data.labels import read_labels, simulated
from ..data.splits import Split, by_folds, inherited, split_file, worst_grades
from ..evaluation.calibration import fit_uncertain_above
from ..evaluation.prediction import predict
from ..runs.journal import Journal
from ..runs.progress import Event, Progress, silent
from ..runs.run_folder import BEFORE_AFTER, SETTINGS, RunFolder
from ..runs.training_error import TrainingError
from ..runs.training_request import TrainingRequest
from .adaptation import Calibration, fit_head, held_out, look
from .before_after import adapted, judged, table
from .distributed import World
from .finishing import volume_rows
from .fit import fit
from .gain import gain
from .run_guard import checked_output, ending_well, open_folder
from .training_settings import Settings

ENOUGH = {"calibration": (30, 3), "head": (100, 10), "all": (400, 40)}
"""Scored volumes, and subjects, that each way needs: it has about 7 numbers to find, thousands
with a prior, or millions."""

WAYS = {
    "calibration": "the probabilities and the volume's rule",
    "head": "the last layer, the probabilities and the volume's rule",
    "all": "all of the network",
}

FOLDS = 5


@dataclass(frozen=True)
class FineTuned:
    """What adapting gave.

    Parameters
    ----------
    what : "calibration", "head" or "all"
    table : before and after on held-out subjects, Markdown
    said : sentences: why this way, and whether it helped
    is_better : whether it is recommended in place of the checkpoint that it began from
    """

    checkpoint: Path
    card: Card
    what: str
    table: str
    said: tuple[str, ...]
    is_better: bool


def choose(n_volumes: int, n_subjects: int, wanted: str = "auto") -> tuple[str, str]:
    """The way that so many labels support, and a sentence on it.

    Raises TrainingError for fewer than any supports, unless one is insisted on.
    """
    counted = f"{n_volumes} scored volumes of {n_subjects} subjects"
    if wanted != "auto":
        volumes, subjects = ENOUGH[wanted]
        few = n_volumes < volumes or n_subjects < subjects
        advice = f", fewer than the {volumes} of {subjects} that it should have" if few else ""
        return wanted, f"Adapts {WAYS[wanted]}, as asked for, to {counted}{advice}."
    fitting = [w for w, (v, s) in ENOUGH.items() if n_volumes >= v and n_subjects >= s]
    if not fitting:
        volumes, subjects = ENOUGH["calibration"]
        raise TrainingError(
            f"{counted} are too few to adapt to; score at least {volumes} of {subjects} subjects, "
            "or say what to adapt nevertheless (--what)."
        )
    what = fitting[-1]
    return what, f"{counted} support adapting {WAYS[what]}."


def gentle_settings(checkpoint: str | Path) -> Settings:
    """Settings to train all of a finished network further: its input, small steps."""
    card = checkpoints.read_card(checkpoints.resolve(checkpoint))
    return Settings().changed(
        {
            "model.backbone": card.backbone,
            "model.size": card.network_input.size,
            "model.spacing": float(card.network_input.spacing),
            "model.licence": card.licence,
            "training.learning_rate": 5e-5,
            "training.head_rate": 1.0,
        }
    )


def fine_tune(
    checkpoint: str | Path,
    data: str | Path,
    labels: str | Path,
    output: str | Path,
    settings: Settings | None = None,
    *,
    what: str = "auto",
    split: str | Path | Split | None = None,
    resume: bool = False,
    overwrite: bool = False,
    cache: str | Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> FineTuned:
    """Adapt a checkpoint to local labels, and write it to ``output`` with a before/after table.

    The table is of held-out subjects: for "calibration" and "head" every subject is held out
    once (cross-validation), for "all" they are the split's test subjects.

    Parameters
    ----------
    checkpoint : name or file to start from
    settings : for "all"; by default `gentle_settings`
    what : "calibration", "head", "all", or "auto": by the number of labels
    split, resume, overwrite, cancelled : for "all", as for `fit`
    data, labels, output, cache, device, progress : as for `fit`

    Raises
    ------
    CheckpointError, DataError, LabelError, SplitError, TrainingError, Stopped
    """
    output = checked_output(output)
    if World.join().size > 1:
        raise TrainingError("A checkpoint is adapted in one process; start it without torchrun.")
    source = checkpoints.resolve(checkpoint)
    if output.exists() and output.resolve() == source.resolve():
        raise TrainingError(f"{output} is the checkpoint to start from; choose another output.")
    card, model = checkpoints.load(source)
    settings = settings or gentle_settings(source)
    distinct = settings.data.distinct_subjects
    check(data, labels, read=False, distinct_subjects=distinct).refuse()
    cache = Path(cache) if cache else output.parent / "cache"
    margin = settings.data.margin
    store = open_store(data, labels, card.network_input, margin=margin, cache=cache)
    refuse_same_images(store)
    what, said = choose(len(set(store.images)), len(set(store.subjects)), what)
    place = DeviceSetup(find_device(device)[0])
    began = {"start_from": str(checkpoint), "what": what}
    if what == "all":
        found: list[FineTuned] = []
        fit(data, labels, output, settings, split=split, init=source, resume=resume,
            overwrite=overwrite, cache=cache, device=device, progress=progress,
            cancelled=cancelled, remarks=[said], began=began,
            afterwards=lambda journal: found.append(
                _compared(source, output, store, place, [said], journal)))  # fmt: skip
        return found[0]
    remarks = [said, *_known(source, store)]
    folder = RunFolder(output)
    going_on = open_folder(folder, settings, resume, overwrite)
    journal = Journal(folder.path, progress, fresh=not going_on)
    with ending_well(folder, journal):
        for remark in remarks:
            journal(Event("data", remark))
        settings.save(folder / SETTINGS)
        request = TrainingRequest(
            data=data, labels=labels, output=output, settings_file=folder / SETTINGS,
            cache=cache, device=device, **began,
        )  # fmt: skip
        folder.write_command(request.to_command())
        journal(Event("train", f"Looking at {len(store)} slices."))
        features, logits = look(place.settle(model), place, store)
        adapt = _Adapting(model, features, logits, store, what, settings)
        tuned = adapt.finish(card, output, remarks, simulated(read_labels(labels)))
        # All of them took part: nobody is left to test.
        inherited(adapt.splits[0], source).save(split_file(output))
        (folder / BEFORE_AFTER).write_text(tuned.table + "\n", encoding="utf-8")
        for text in (*tuned.said[len(remarks) :], tuned.table, f"Wrote {output}."):
            journal(Event("finish", text))
        return tuned


class _Adapting:
    """Calibration, or head and calibration, of one network to one store."""

    def __init__(self, model, features, logits, store: SliceStore, what: str, settings) -> None:
        self.model, self.features, self.logits, self.store = model, features, logits, store
        self.what, self.settings = what, settings
        layer = model.get_classifier()
        self.start = [p.detach().double().cpu().numpy() for p in (layer.weight, layer.bias)]
        self.volumes = volume_rows(store, np.arange(len(store)))
        worst = worst_grades(store.subjects, store.levels)
        n_folds = min(FOLDS, len(worst))
        self.splits = by_folds(store.subjects, n_folds, worst=worst, seed=settings.training.seed)

    def finish(self, card: Card, output: Path, remarks: Sequence[str], motion_simulated: bool):
        store = self.store
        folds = [split.indices(store.subjects, "valid") for split in self.splits]
        logits, slices, volumes = held_out(store, self.volumes, folds, self._without)
        old = Calibration(card.temperature, card.rule)
        old_slices = old.of_slices(self.logits)
        old_volumes = [old.rule(old_slices[rows]) for rows in self.volumes]
        before = judged(store, self.volumes, old_slices, old_volumes)
        after = judged(store, self.volumes, slices, volumes)
        # Of what is fitted on all subjects, the held-out logits are still an honest picture.
        everything = np.arange(len(store))
        fitted = Calibration.fit(logits, store, everything, self.volumes)
        threshold = fit_uncertain_above(softmax(logits, fitted.temperature), store.levels)
        if self.what == "head":
            self._set_head(*self._head(everything))
        change = gain(before, after)
        said = (*remarks, change.sentence(card.name))
        new = replace(
            card,
            temperature=fitted.temperature,
            volume_rule=fitted.rule.to_dict(),
            uncertain_above=threshold.uncertain_above,
        )
        new = adapted(new, card, output, self.what, store, before, after, change.is_better, said,
                      motion_simulated)  # fmt: skip
        checkpoints.save(output, self.model, new)
        text = table(before, after)
        return FineTuned(output, new, self.what, text, said, change.is_better)

    def _without(self, indices: np.ndarray) -> np.ndarray:
        if self.what == "calibration" or not len(indices):  # two subjects, and both held out
            return self.logits
        weights, biases = self._head(indices)
        return self.features @ weights.T + biases

    def _head(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        store = self.store
        n_volumes = len(set(store.volumes[indices]))
        weight = self.settings.training.ordinal_weight
        return fit_head(
            self.features[indices], store.levels[indices], self.start, n_volumes, weight
        )

    def _set_head(self, weights: np.ndarray, biases: np.ndarray) -> None:
        layer = self.model.get_classifier()
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights))
            layer.bias.copy_(torch.from_numpy(biases))


def _compared(source, output, store: SliceStore, place, remarks, progress) -> FineTuned:
    """Before and after on the test subjects of the split that ``fit`` left."""
    test = Split.load(split_file(output)).indices(store.subjects, "test")
    if not len(test):
        raise TrainingError(
            f"{output} is written, but the split has no test subjects that {source} has not "
            "seen, to compare the two on."
        )
    rows = volume_rows(store, test)
    found = []
    for path in (source, output):
        card, model = checkpoints.load(path)
        probabilities = np.full((len(store), 5), np.nan)
        logits = predict(place.settle(model), place, store, test)
        probabilities[test] = softmax(logits, card.temperature)
        wholes = [card.rule(probabilities[of]) for of in rows]
        found.append(judged(store, rows, probabilities, wholes, test))
    old, new = (checkpoints.read_card(path) for path in (source, output))
    change = gain(*found)
    said = (*remarks, change.sentence(old.name))
    new = adapted(new, old, output, "all", store, *found, change.is_better, said,
                  new.motion == "simulated")  # fmt: skip
    checkpoints.update_card(output, new)
    text = table(*found)
    (RunFolder(output) / BEFORE_AFTER).write_text(text + "\n", encoding="utf-8")
    for line in (said[-1], text):
        progress(Event("finish", line))
    return FineTuned(output, new, "all", text, said, change.is_better)


def _known(source: Path, store: SliceStore) -> list[str]:
    """A sentence where subjects are those that the checkpoint was trained on."""
    beside = split_file(source)
    if not beside.is_file():
        return []
    split = Split.load(beside)
    known = {*store.subjects} & {*split.train, *split.valid}
    if not known:
        return []
    return [
        f"{len(known)} of the subjects trained the checkpoint to start from, such as "
        f"{min(known)}: the figures will be too good."
    ]
