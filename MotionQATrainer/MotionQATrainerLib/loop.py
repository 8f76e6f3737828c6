"""The training loop. Whatever is random in a step is drawn from the seed and the step's number,
so that a run killed at any step and resumed ends with the numbers of one that never stopped."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from MotionQALib.devices import Place

from .datasets import SliceStore
from .ema import Ema
from .objective import OrdinalLikelihood
from .optimisation import optimiser, set_rate
from .prediction import figures, predict, spread
from .progress import Cancelled, Event, Progress
from .run_state import load_state, save_state, write_tensors
from .sampling import balanced_weights, epoch_order
from .settings import Settings

STATE, BEST, LOG = "state.safetensors", "best.safetensors", "log.csv"

LOG_COLUMNS = (
    "epoch", "step", "seconds", "learning_rate", "train_loss",
    "valid_nll", "valid_accuracy", "valid_kappa", "best",
)  # fmt: skip


class TrainingError(RuntimeError):
    """Training that cannot go on; the message says what to change."""


class Source(Protocol):
    """Slices to train on; a simulating source has new ones each epoch."""

    def epoch(self, number: int) -> tuple[SliceStore, np.ndarray]:
        """Store and the indices in it that train."""


class Loop:
    """Trains a network and keeps the best of its averages in the run's folder.

    Parameters
    ----------
    model : settled in ``place``
    source : what is trained on
    valid : store and indices that the best epoch is chosen by
    folder : takes log.csv, state.safetensors and best.safetensors
    """

    def __init__(
        self,
        model: nn.Module,
        place: Place,
        source: Source,
        valid: tuple[SliceStore, np.ndarray],
        settings: Settings,
        folder: Path,
        progress: Progress,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.model, self.place, self.source, self.folder = model, place, source, folder
        self.settings, self.progress, self.cancelled = settings, progress, cancelled
        store, indices = valid
        self.valid = store, spread(indices, settings.data.validation_slices)
        self.ema = Ema(model, settings.training.ema)
        self.adam = optimiser(model, settings.training)
        self.loss = OrdinalLikelihood(settings.training.ordinal_weight)
        slices = settings.data.epoch_slices or len(source.epoch(0)[1])
        self.steps_per_epoch = max(1, slices // settings.training.batch_size)
        self.n_steps = self.steps_per_epoch * settings.training.epochs
        self.facts = {"step": 0, "seconds": 0.0, "loss": 0.0, "best": None, "best_epoch": -1}
        self.facts["finished"] = False
        self.facts |= {"precision": place.precision, "channels_last": place.channels_last}
        # Ahead of a GPU the CPU has time to prepare the next batch; a CPU that trains has none.
        self.prefetch = place.device.type != "cpu"

    def resume(self) -> None:
        """Go on from the state in the folder. Raises StateError."""
        self.facts = load_state(self.folder / STATE, self.model, self.ema.average, self.adam)
        self._cut_log()

    def run(self) -> None:
        """Train to the end, or until nothing improves.

        Raises Cancelled, with the state saved, and TrainingError where the loss is no number.
        """
        training = self.settings.training
        if self.facts["finished"]:
            return
        saved = time.monotonic()
        started = saved - self.facts["seconds"]
        # Kept on the device, so that no step waits for it; Apple's GPUs know no float64.
        precise = torch.float32 if self.place.device.type == "mps" else torch.float64
        loss_sum = torch.tensor(self.facts["loss"], dtype=precise, device=self.place.device)
        for step, images, levels in self._batches(self.facts["step"]):
            rate = set_rate(self.adam, training, step, self.n_steps)
            loss_sum += self._step(step, images, levels)
            self.facts["step"] = step + 1
            epoch, within = divmod(step + 1, self.steps_per_epoch)
            now = time.monotonic()
            self.facts["seconds"] = now - started
            self.progress(Event("train", done=step + 1, total=self.n_steps))
            if within == 0:
                self.facts["loss"] = float(loss_sum) / self.steps_per_epoch
                self._end_epoch(epoch - 1, rate)
                self.facts["loss"] = 0.0
                loss_sum.zero_()
                if self._has_stalled(epoch - 1):
                    break
            asked = self.cancelled()
            if asked or now - saved > 60 * training.save_minutes or within == 0:
                self.facts["loss"] = float(loss_sum)
                self.save()
                saved = now
            if asked:
                raise Cancelled("Training was stopped; it goes on from here when resumed.")
        self.facts["finished"] = True
        self.save()

    def save(self) -> None:
        """Write the state that `resume` goes on from."""
        save_state(self.folder / STATE, self.model, self.ema.average, self.adam, self.facts)

    def _batches(self, first: int) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
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
        """Augmented images and levels of one step, the same at every call."""
        epoch, within = divmod(step, self.steps_per_epoch)
        store, chosen = self._epoch(epoch)
        size = self.settings.training.batch_size
        generator = torch.Generator().manual_seed(self._seed(step))
        return store.batch(
            chosen[within * size : (within + 1) * size],
            self.settings.augmentation,
            generator,
            self.place.device,
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

    def _step(self, step: int, images: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(self._seed(step))  # for layers that drop at random
        self.model.train()
        loss = self.loss(self.place.forward(self.model, images), levels)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.training.clip)
        self.adam.step()
        self.ema.update(self.model, step)
        return loss.detach()

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
        self._log(row)
        text = ", ".join(f"{k} {_short(v)}" for k, v in row.items() if k not in ("step", "best"))
        numbers = {key: float(value) for key, value in row.items()}
        self.progress(Event("validate", text, epoch + 1, training.epochs, numbers))

    def _validate(self, epoch: int) -> dict[str, float]:
        store, indices = self.valid
        logits = predict(self.ema.average, self.place, store, indices)
        found = figures(logits, store.levels[indices])
        criterion = self.settings.training.criterion
        score = getattr(found, criterion) * (-1 if criterion == "nll" else 1)
        better = self.facts["best"] is None or score > self.facts["best"]
        if better:
            self.facts |= {"best": score, "best_epoch": epoch}
            weights = self.ema.average.state_dict()
            write_tensors(self.folder / BEST, weights, {"epoch": str(epoch + 1)})
        return {f"valid_{k}": v for k, v in asdict(found).items()} | {"best": int(better)}

    def _has_stalled(self, epoch: int) -> bool:
        patience = self.settings.training.patience
        return bool(patience) and epoch - self.facts["best_epoch"] >= patience

    def _log(self, row: dict[str, float]) -> None:
        path = self.folder / LOG
        new = not path.exists()
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, LOG_COLUMNS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)

    def _cut_log(self) -> None:
        """Drop the lines after the state: their steps are taken again."""
        path = self.folder / LOG
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            path.unlink()
            for row in rows:
                if int(row["step"]) <= self.facts["step"]:
                    self._log(row)


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"
