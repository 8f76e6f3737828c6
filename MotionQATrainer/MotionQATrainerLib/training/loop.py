"""The training loop. Whatever is random in a step is drawn from the seed and the step's number,
so that a run killed at any step and resumed ends with the numbers of one that never stopped."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from MotionQALib import checkpoints
from MotionQALib.checkpoints import Card
from MotionQALib.devices import DeviceSetup
from MotionQALib.whole_files import write_whole

from ..data.datasets import SliceStore
from ..data.sampling import balanced_weights, epoch_order
from ..evaluation.prediction import figures, predict, spread
from ..runs.errors import TrainingError
from ..runs.progress import Event, Progress, Stopped
from ..runs.run_folder import BEST, LAST, LOG, STATE
from ..runs.run_state import load_state, save_state, storing, write_tensors
from .distributed import World
from .ema import Ema
from .objective import OrdinalLikelihood
from .optimisation import optimiser, set_rate
from .settings import Settings

LOG_COLUMNS = (
    "epoch", "step", "seconds", "learning_rate", "train_loss",
    "valid_nll", "valid_accuracy", "valid_kappa", "best",
)  # fmt: skip


class Source(Protocol):
    """Slices to train on; a simulating source has new ones each epoch."""

    def epoch(self, number: int) -> tuple[SliceStore, np.ndarray]:
        """Store and the indices in it that train."""

    @property
    def digest(self) -> str:
        """Of what there is to learn from: a run resumes on the same only."""


class Loop:
    """Trains a network and keeps the best of its averages in the run's folder.

    Parameters
    ----------
    model : settled in ``place``
    source : what is trained on
    valid : store and indices that the best epoch is chosen by
    folder : takes log.csv and the state, last and best .safetensors
    card : of the last and the best checkpoint; without, their weights have none
    world : the processes that share the work, each with a Loop of its own
    """

    def __init__(
        self,
        model: nn.Module,
        place: DeviceSetup,
        source: Source,
        valid: tuple[SliceStore, np.ndarray],
        settings: Settings,
        folder: Path,
        progress: Progress,
        cancelled: Callable[[], bool] = lambda: False,
        card: Card | None = None,
        world: World | None = None,
    ) -> None:
        self.card, self.world = card, world or World()
        self.model, self.place, self.source, self.folder = model, place, source, folder
        self.settings, self.progress, self.cancelled = settings, progress, cancelled
        store, indices = valid
        self.valid = store, spread(indices, settings.data.validation_slices)
        self.ema = Ema(model, settings.training.ema)
        self.adam = optimiser(model, settings.training)
        self.spread = self.world.spread(model, place.device)
        self.loss = OrdinalLikelihood(settings.training.ordinal_weight)
        slices = settings.data.epoch_slices or len(source.epoch(0)[1])
        self.steps_per_epoch = max(1, slices // settings.training.batch_size)
        self.n_steps = self.steps_per_epoch * settings.training.epochs
        self.facts = {"step": 0, "seconds": 0.0, "loss": 0.0, "best": None, "best_epoch": -1}
        self.facts |= {"finished": False, "data": source.digest}
        self.facts |= {"precision": place.precision, "channels_last": place.channels_last}
        # Ahead of a GPU the CPU has time to prepare the next batch; a CPU that trains has none.
        self.prefetch = place.device.type != "cpu"

    def resume(self) -> None:
        """Go on from the state in the folder. Raises StateError."""
        self.facts = load_state(self.folder / STATE, self.model, self.ema.average, self.adam)
        self._cut_log()

    def run(self) -> None:
        """Train to the end, or until nothing improves.

        Raises Stopped, with the state saved, and TrainingError where the loss is no number.
        """
        training = self.settings.training
        if self.facts["finished"]:
            return
        saved = time.monotonic()
        started = saved - self.facts["seconds"]
        # Kept on the device, so that no step waits for it; Apple's GPUs know no float64.
        precise = torch.float32 if self.place.device.type == "mps" else torch.float64
        # What the processes before a stop summed up goes on in the first one.
        loss = self.facts["loss"] if self.world.writes else 0.0
        loss_sum = torch.tensor(loss, dtype=precise, device=self.place.device)
        for step, images, levels in self.batches(self.facts["step"]):
            rate = set_rate(self.adam, training, step, self.n_steps)
            loss_sum += self.take_step(step, images, levels)
            self.facts["step"] = step + 1
            epoch, within = divmod(step + 1, self.steps_per_epoch)
            now = time.monotonic()
            self.facts["seconds"] = now - started
            self.progress(Event("train", done=step + 1, total=self.n_steps))
            if within == 0:
                self.facts["loss"] = self.world.sum(float(loss_sum)) / self.steps_per_epoch
                self._end_epoch(epoch - 1, rate)
                self.facts["loss"] = 0.0
                loss_sum.zero_()
                if self._has_stalled(epoch - 1):
                    break
            due = within == 0 or now - saved > 60 * training.save_minutes
            # Agreed on, because the clocks and who is told to stop differ.
            asked, due = self.world.any(self.cancelled(), due)
            if asked or due:
                self.facts["loss"] = self.world.sum(float(loss_sum))
                self.save()
                saved = now
            if asked:
                raise Stopped("Training was stopped; it goes on from here when resumed.")
        self.facts["finished"] = True
        self.save()

    def save(self) -> None:
        """Write the state that `resume` goes on from."""
        if not self.world.writes:
            return
        self.folder.mkdir(parents=True, exist_ok=True)  # back, where somebody removed it
        save_state(self.folder / STATE, self.model, self.ema.average, self.adam, self.facts)

    def batches(self, first: int) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """Each step from the first one, with its `batch`, prepared ahead where `prefetch` says."""
        steps = range(first, self.n_steps)
        if not self.prefetch:
            for step in steps:
                yield step, *self.batch(step)
            return
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.batch, first) if steps else None
            for step in steps:
                ready = coming.result()
                if step + 1 < self.n_steps:
                    coming = pool.submit(self.batch, step + 1)
                yield step, *ready

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Augmented images and levels of this process's share of one step, at every call alike."""
        epoch, within = divmod(step, self.steps_per_epoch)
        store, chosen = self._epoch(epoch)
        size = self.settings.training.batch_size
        generator = torch.Generator().manual_seed(self._seed(step))
        return store.batch(
            chosen[within * size : (within + 1) * size],
            self.settings.augmentation,
            generator,
            self.place.device,
            self.world.share() if self.world.size > 1 else None,
        )

    def _epoch(self, epoch: int) -> tuple[SliceStore, np.ndarray]:
        """Store and drawn order of an epoch, made once."""
        if getattr(self, "_current", (None,))[0] != epoch:
            store, indices = self.source.epoch(epoch)
            weights = balanced_weights(store.levels[indices], self.settings.data.balance)
            n = self.steps_per_epoch * self.settings.training.batch_size
            order = epoch_order(weights, n, self.settings.training.seed, epoch)
            self._current = epoch, store, indices[order]
        return self._current[1:]

    def _seed(self, step: int) -> int:
        return self.settings.training.seed * 1_000_003 + step

    def take_step(self, step: int, images: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        """Learn from a batch; this process's share of the loss."""
        # For layers that drop at random, each process its own.
        torch.manual_seed(self._seed(step) + 2**40 * self.world.rank)
        self.model.train()
        loss = self.loss(self.place.forward(self.spread, images), levels)
        # The processes' gradients are averaged, and their shares of a batch may differ by one.
        loss = loss * (len(images) * self.world.size / self.settings.training.batch_size)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.training.clip)
        self.adam.step()
        self.ema.update(self.model, step)
        return loss.detach() / self.world.size

    def _end_epoch(self, epoch: int, rate: float) -> None:
        """Validate where it is due, keep the best average, and write the log's line."""
        if not math.isfinite(self.facts["loss"]):
            raise TrainingError(
                f"The loss of epoch {epoch + 1} is not a number; lower training.learning_rate."
            )
        training = self.settings.training
        row = {"epoch": epoch + 1, "step": self.facts["step"], "learning_rate": rate}
        row |= {"seconds": round(self.facts["seconds"], 1), "train_loss": self.facts["loss"]}
        if (epoch + 1) % training.validate_every == 0 or epoch + 1 == training.epochs:
            row |= self._validate(epoch)
        self._keep(LAST, epoch)
        self._log(row)
        text = ", ".join(f"{k} {_short(v)}" for k, v in row.items() if k not in ("step", "best"))
        numbers = {key: float(value) for key, value in row.items()}
        self.progress(Event("validate", text, epoch + 1, training.epochs, numbers))

    def _validate(self, epoch: int) -> dict[str, float]:
        store, indices = self.valid
        average = self.ema.average
        self.world.agree_on_buffers(average)
        mine = predict(average, self.place, store, indices[self.world.share()])
        logits = self.world.gather(mine, len(indices))
        found = figures(logits, store.levels[indices])
        criterion = self.settings.training.criterion
        score = getattr(found, criterion) * (-1 if criterion == "nll" else 1)
        better = self.facts["best"] is None or score > self.facts["best"]
        better |= self.world.first(not (self.folder / BEST).exists())  # somebody removed it
        if better:
            self.facts |= {"best": score, "best_epoch": epoch}
            self._keep(BEST, epoch)
        return {f"valid_{k}": v for k, v in asdict(found).items()} | {"best": int(better)}

    def _keep(self, name: str, epoch: int) -> None:
        """Write the averaged weights, exactly, and what they are."""
        if not self.world.writes:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        average = self.ema.average
        if self.card is None:
            write_tensors(self.folder / name, average.state_dict(), {"epoch": str(epoch + 1)})
            return
        card = replace(self.card, training={**self.card.training, "epoch": epoch + 1})
        with storing(self.folder / name):
            checkpoints.save(self.folder / name, average, card, half=False)

    def _has_stalled(self, epoch: int) -> bool:
        patience = self.settings.training.patience
        return bool(patience) and epoch - self.facts["best_epoch"] >= patience

    def _log(self, row: dict[str, float]) -> None:
        if not self.world.writes:
            return
        path = self.folder / LOG
        new = not path.exists() or not path.stat().st_size
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, LOG_COLUMNS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)

    def _cut_log(self) -> None:
        """Drop the lines of epochs after the state, which are taken again, and a torn one."""
        path = self.folder / LOG
        if self.world.writes and path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            at = LOG_COLUMNS.index("step")
            head, *rows = [line for line in lines if line.endswith("\n")] or [""]
            kept = [row for row in rows if int(row.split(",")[at]) <= self.facts["step"]]
            write_whole(path, "".join([head, *kept]))


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"
