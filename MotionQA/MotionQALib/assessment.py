"""From a volume to its grades: the `Assessor`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from . import checkpoints
from .devices import Place, find_device, find_place, is_out_of_memory, release_memory
from .preprocessing import Position, heart_centre
from .results import Assessment, Row
from .scale import GRADE_OF_SCORE, grade_probabilities, median_score

if TYPE_CHECKING:
    from .volumes import Volume

__all__ = ["Assessment", "AssessmentError", "Assessor", "Cancelled", "Row"]

BATCH_SIZES = {"cpu": 16, "cuda": 64, "mps": 32}
"""Slices at a time: a CPU is no faster with more, and a cine then needs little memory."""

Progress = Callable[[int, int], None]


class AssessmentError(RuntimeError):
    """A volume that was read but could not be graded; the message is for the user."""


class Cancelled(Exception):  # noqa: N818  it is no error
    """The caller asked to stop between two batches."""


class Assessor:
    """A checkpoint, loaded and ready to grade.

    Parameters
    ----------
    checkpoint : a name in the catalogue, or a file
    device : ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``
    precision : ``"auto"`` (the fastest; on a CPU found by measuring), ``"fp32"``, ``"bf16"`` or
        ``"fp16"``
    batch_size : slices at a time; by default what suits the device

    Attributes
    ----------
    card, model : the checkpoint's card and network
    places : where to compute; the later ones take over where memory runs out

    Raises
    ------
    CheckpointError, DeviceError : with a sentence for the user
    """

    def __init__(
        self,
        checkpoint: str | Path = checkpoints.STARTER,
        *,
        device: str = "auto",
        precision: str = "auto",
        batch_size: int | None = None,
    ) -> None:
        wanted = find_device(device)  # before loading: a wrong device is told at once
        card, model = checkpoints.load(checkpoints.resolve(checkpoint))
        self._set_up(card, model, wanted, precision, batch_size)

    @classmethod
    def of_model(
        cls,
        card: checkpoints.Card,
        model: nn.Module,
        *,
        device: str = "auto",
        precision: str = "auto",
        batch_size: int | None = None,
    ) -> Assessor:
        """An Assessor of a network in memory, which it puts in eval mode and moves in place."""
        assessor = cls.__new__(cls)
        assessor._set_up(card, model.eval(), find_device(device), precision, batch_size)
        return assessor

    def _set_up(self, card, model, device, precision, batch_size) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is at least 1; got {batch_size!r}.")
        self.card = card
        self.model = model
        self.preprocessing = card.network_input
        self._rule = card.rule
        self._wanted_batch = batch_size
        found, self._reason = device
        self.warm_up(found, precision)

    def warm_up(self, device: torch.device | None = None, precision: str = "auto") -> None:
        """Choose how to compute on the device and run the network once; loading calls it."""
        device = device or self.device
        place = find_place(self.model, device, self.preprocessing.size, precision)
        self.places = (place,)
        if device.type != "cpu":
            self.places += (Place(torch.device("cpu")),)
        self._move(place)
        if device.type != "cpu":  # a CPU has computed already, to be measured
            size = self.preprocessing.size
            self._network(torch.zeros(1, 1, size, size))

    @property
    def device(self) -> torch.device:
        return self._place.device

    @property
    def device_reason(self) -> str:
        """One sentence: which device computes, and why that one."""
        if self._place is not self.places[0]:
            return "CPU: the GPU ran out of memory."
        return self._reason

    @property
    def precision(self) -> str:
        return self._place.precision

    def assess(
        self,
        volume: Volume,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Assessment:
        """Grade every slice of every frame, and the volume.

        Parameters
        ----------
        progress : called as ``progress(done, total)``, in slices, after each batch
        cancelled : asked before each batch whether to stop

        Raises
        ------
        Cancelled : ``cancelled`` said so
        AssessmentError : the network's output is no numbers, or no memory is left at all
        """
        start = time.perf_counter()
        remarks: dict[str, str] = {}
        logits = self._logits(volume, progress, cancelled, remarks)
        probabilities = _softmax(logits / self.card.temperature)
        probabilities = probabilities.reshape(volume.n_frames, volume.n_slices, -1)
        whole = np.mean([self._rule(frame) for frame in probabilities], axis=0)
        doubt = uncertainty(np.concatenate([probabilities.reshape(-1, whole.size), whole[None]]))
        uncertain = doubt > self.card.uncertain_above
        known = volume.series_uid is not None or "identity" in vars(volume)
        return Assessment(
            volume=volume.name,
            source=None if volume.source is None else str(volume.source),
            identity=volume.identity if known else None,  # never worth hashing all voxels for
            checkpoint=self.card.name,
            notice=self.card.notice,
            probabilities=probabilities,
            volume_probabilities=whole,
            uncertain=uncertain[:-1].reshape(probabilities.shape[:2]),
            volume_uncertain=bool(uncertain[-1]),
            device=str(self.device),
            precision=self.precision,
            seconds=time.perf_counter() - start,
            remarks=tuple(remarks.values()),
        )

    @torch.inference_mode()
    def _logits(self, volume, progress, cancelled, remarks) -> np.ndarray:
        """(frames * slices, 5) float64, batch by batch; batches span frames."""
        total = volume.n_frames * volume.n_slices
        centre = heart_centre(volume)
        self._return_to_first_place(remarks)
        logits = np.empty((total, 5))
        done = 0
        while done < total:
            if cancelled is not None and cancelled():
                raise Cancelled(f"{volume.name} was not graded to the end: it was cancelled.")
            stop = min(done + self._batch, total)
            batch = self._try_batch(volume, done, stop, centre, remarks)
            if batch is None:
                self._make_room(volume, remarks)
                continue
            logits[done:stop] = batch
            done = stop
            if progress is not None:
                progress(done, total)
        return logits

    def _try_batch(self, volume, start, stop, centre, remarks) -> np.ndarray | None:
        """Logits of some slices, or None where memory ran out."""
        try:
            images = self.network_input(volume, start, stop, centre)
            logits = self._network(images)
            if np.isfinite(logits).all():
                return logits
            if self.precision != "fp32":
                logits = self._network(images, replace(self._place, precision="fp32"))
                remarks["overflow"] = (
                    f"The network's numbers left the range of {self.precision}; "
                    "fp32 was used for those slices."
                )
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                return None
            raise
        if not np.isfinite(logits).all():
            bad = start + int(np.argmin(np.isfinite(logits).all(axis=1)))
            raise AssessmentError(
                f"{volume.name} cannot be graded: the network's output for slice "
                f"{bad % volume.n_slices} is no number, so the checkpoint {self.card.name} is "
                "damaged or the voxels are not finite; try another checkpoint."
            )
        return logits

    def network_input(
        self, volume: Volume, start: int, stop: int, centre: Position | None
    ) -> torch.Tensor:
        """Slices ``start`` to ``stop``, counted through all frames: (n, 1, size, size)."""
        frames, slices = np.divmod(np.arange(start, stop), volume.n_slices)
        images = as_tensor(volume.voxels[frames, slices]).to(self.device)
        return self.preprocessing(images, volume.spacing[1:], centre)

    @torch.inference_mode()
    def _network(self, images: torch.Tensor, place: Place | None = None) -> np.ndarray:
        place = place or self._place
        return place.forward(self.model, images.to(place.device)).double().cpu().numpy()

    def _move(self, place: Place) -> None:
        place.settle(self.model)
        self._place = place
        self._batch = self._wanted_batch or BATCH_SIZES[place.device.type]

    def _return_to_first_place(self, remarks: dict[str, str]) -> None:
        """What filled the GPU's memory for the last volume may be gone."""
        if self._place is self.places[0]:
            return
        place = self._place
        try:
            self._move(self.places[0])
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._move(place)
            remarks["device"] = "The GPU is still out of memory: the CPU took over."

    def _make_room(self, volume: Volume, remarks: dict[str, str]) -> None:
        """After memory ran out: half as many slices at a time, then the next place."""
        release_memory(self.device)
        following = self.places.index(self._place) + 1
        if self._batch > 1:
            self._batch //= 2
            many = "slices at a time" if self._batch > 1 else "slice at a time"
            remarks["batch"] = f"Memory ran out, so it was graded {self._batch} {many}."
        elif following < len(self.places):
            left = self.device
            self._move(self.places[following])
            release_memory(left)
            remarks.pop("batch", None)
            remarks["device"] = "Out of GPU memory: the CPU took over."
        else:
            raise AssessmentError(
                f"{volume.name} cannot be graded: memory runs out even for one slice at a time; "
                "close other programs and try again."
            )


def uncertainty(probabilities: np.ndarray) -> np.ndarray:
    """1 - P(the reported grade) of (n, 5) probabilities: (n,)."""
    grades = GRADE_OF_SCORE[median_score(probabilities) - 1]
    return 1.0 - grade_probabilities(probabilities)[np.arange(len(grades)), grades - 1]


_NATIVE = {np.dtype(kind) for kind in ("u1", "i1", "i2", "i4", "f2", "f4")}


def as_tensor(images: np.ndarray) -> torch.Tensor:
    """Images as a tensor of their own type where every device knows it, else as float32."""
    if images.dtype not in _NATIVE:
        images = images.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(images))


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
