"""From a volume to its grades: the `Assessor`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from . import checkpoints
from .devices import (
    DeviceError,
    DeviceSetup,
    batch_size_of,
    find_device,
    find_device_setup,
    is_out_of_memory,
    release_memory,
)
from .error_text import reason
from .familiarity import FeatureTap, strangers_in_words
from .heart_centre import heart_centre
from .preprocessing import Position
from .results import Assessment, Row
from .scale import is_uncertain, softmax
from .verdict import in_words

if TYPE_CHECKING:
    from .volumes import Volume

__all__ = ["Assessment", "AssessmentError", "Assessor", "Cancelled", "Row"]

Progress = Callable[[int, int], None]


class AssessmentError(RuntimeError):
    """A volume that was read but could not be graded; the message is for the user."""


FAMILIAR = -1e3
"""Strangeness where a checkpoint cannot tell."""


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
        self._set_up(card, model, wanted, precision, batch_size, device == "auto")

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
        wanted = find_device(device)
        assessor._set_up(card, model.eval(), wanted, precision, batch_size, device == "auto")
        return assessor

    def _set_up(self, card, model, device, precision, batch_size, automatic) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is at least 1; got {batch_size!r}.")
        self.card = card
        self.model = model
        self._tap = FeatureTap(model) if hasattr(model, "familiarity") else None
        self.preprocessing = card.network_input
        self._rule = card.rule
        self._wanted_batch = batch_size
        found, self._reason = device
        try:
            self.warm_up(found, precision)
        except RuntimeError as error:  # a driver or GPU that this torch cannot work with
            if found.type == "cpu":
                raise
            why = reason(error, "no reason given")
            if not automatic:
                raise DeviceError(f"The device {found} cannot be used: {why}.") from error
            self._reason = f"CPU: the GPU was tried and failed ({why})."
            self.warm_up(torch.device("cpu"), precision)

    def warm_up(self, device: torch.device | None = None, precision: str = "auto") -> None:
        """Choose how to compute on the device and run the network once; loading calls it."""
        device = device or self.device
        first = find_device_setup(self.model, device, self.preprocessing.size, precision)
        fallback = () if device.type == "cpu" else (DeviceSetup(torch.device("cpu")),)
        self.places = (first, *fallback)
        self._move(first)
        if device.type != "cpu":  # a CPU has computed already, to be measured
            size = self.preprocessing.size
            self.logits(torch.zeros(1, 1, size, size, device=device))

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
    def tells_strangers(self) -> bool:
        """Whether the checkpoint can tell what does not look like short-axis cardiac MR."""
        return self._tap is not None

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
        AssessmentError : the network's output is no numbers, no memory is left at all, or every
            slice is blank
        """
        start = time.perf_counter()
        positions = np.flatnonzero(~volume.blank).tolist()
        if not positions:
            raise AssessmentError(
                f"{volume.name} cannot be graded: all its slices are blank; choose another file."
            )
        found, remarks = self.run(
            volume, positions, self._look, progress=progress, cancelled=cancelled
        )
        found = _in_place(found, positions, volume.blank.size)
        logits, strangeness = found[:, :-1], found[:, -1]
        remarks = (*strangers_in_words(strangeness, volume.n_slices), *remarks)
        probabilities = softmax(logits, self.card.temperature)
        probabilities = probabilities.reshape(volume.n_frames, volume.n_slices, -1)
        # Blank slices have no say, and a frame of nothing else has none either.
        frames = probabilities[~volume.blank.all(axis=1)]
        whole = np.mean([self._rule(frame) for frame in frames], axis=0)
        card = self.card
        uncertain = is_uncertain(probabilities, card.uncertain_above, card.severe_above)
        volume_uncertain = is_uncertain(
            whole,
            card.uncertain_above if card.volume_uncertain_above is None
            else card.volume_uncertain_above,
            card.severe_above if card.volume_severe_above is None else card.volume_severe_above,
        )  # fmt: skip
        known = volume.series_uid is not None or "identity" in vars(volume)
        return Assessment(
            volume=volume.name,
            source=None if volume.source is None else str(volume.source),
            identity=volume.identity if known else None,  # never worth hashing all voxels for
            checkpoint=self.card.name,
            notice=self.card.notice,
            probabilities=probabilities,
            volume_probabilities=whole,
            uncertain=uncertain,
            volume_uncertain=bool(volume_uncertain),
            device=str(self.device),
            precision=self.precision,
            seconds=time.perf_counter() - start,
            remarks=(*volume.remarks, *blank_in_words(volume), *remarks),
        )

    def run(
        self,
        volume: Volume,
        positions: Sequence[int],
        compute: Callable[[torch.Tensor], np.ndarray],
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        batch_size: int | None = None,
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Compute something of chosen slices, batch by batch, wherever there is memory for it.

        Parameters
        ----------
        positions : slices counted through all frames, frame * n_slices + slice
        compute : from the network's input, (n, 1, size, size) on the device, to n rows
        batch_size : at most so many slices at a time

        Returns
        -------
        The rows, and remarks for the user.
        """
        centre = heart_centre(volume, self.preprocessing.locator)
        remarks: dict[str, str] = {}
        self._return_to_first_place(remarks)
        rows: list[np.ndarray] = []
        done = 0
        while done < len(positions):
            if cancelled is not None and cancelled():
                raise Cancelled(f"{volume.name} was not graded to the end: it was cancelled.")
            batch = positions[done : done + min(self._batch, batch_size or self._batch)]
            computed = self._try_batch(volume, batch, compute, centre)
            if computed is None:
                self._make_room(volume, len(batch), remarks)
                continue
            bad = np.flatnonzero(~np.isfinite(computed.reshape(len(batch), -1)).all(axis=1))
            if len(bad):
                raise AssessmentError(
                    f"{volume.name} cannot be graded: the network's output for slice "
                    f"{batch[bad[0]] % volume.n_slices} is no number, so the checkpoint "
                    f"{self.card.name} is damaged or the voxels are not finite; "
                    "try another checkpoint."
                )
            rows.append(computed)
            done += len(batch)
            if progress is not None:
                progress(done, len(positions))
        return np.concatenate(rows), tuple(remarks.values())

    def _try_batch(self, volume, batch, compute, centre) -> np.ndarray | None:
        """Compute one batch; None where memory ran out."""
        try:
            return compute(self.network_input(volume, batch, centre))
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                return None
            raise

    @torch.no_grad()
    def network_input(
        self, volume: Volume, positions: Sequence[int], centre: Position | None
    ) -> torch.Tensor:
        """Slices, counted through all frames, as the network sees them: (n, 1, size, size)."""
        frames, slices = np.divmod(np.asarray(positions), volume.n_slices)
        images = as_tensor(volume.voxels[frames, slices]).to(self.device)
        return self.preprocessing(images, volume.spacing[1:], centre)

    @torch.inference_mode()
    def logits(self, images: torch.Tensor) -> np.ndarray:
        """The network's logits, (n, 5) float64, of its `network_input`."""
        logits = self._place.forward(self.model, images).double()
        if not logits.isfinite().all() and self.precision != "fp32":
            # Numbers beyond the range of 16 bits are no fault of the volume's.
            logits = replace(self._place, precision="fp32").forward(self.model, images).double()
        return logits.cpu().numpy()

    def _look(self, images: torch.Tensor) -> np.ndarray:
        """Logits, and how strange each slice is: (n, 6)."""
        logits = self.logits(images)
        strangeness = np.full((len(logits), 1), FAMILIAR)
        if self._tap is not None:
            with torch.inference_mode():
                strange = self.model.familiarity(self._tap.features.float())
            # What is no number is no heart either.
            strangeness = strange.double().nan_to_num(-FAMILIAR).cpu().numpy()[:, None]
        return np.concatenate([logits, strangeness], axis=1)

    def _move(self, place: DeviceSetup) -> None:
        place.settle(self.model)
        self._place = place
        self._batch = self._wanted_batch or batch_size_of(self.model, place.device)

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

    def _make_room(self, volume: Volume, tried: int, remarks: dict[str, str]) -> None:
        """After memory ran out for ``tried`` slices: half as many, then the next place."""
        release_memory(self.device)
        following = self.places.index(self._place) + 1
        if tried > 1:
            self._batch = tried // 2
            many = "slices" if self._batch > 1 else "slice"
            remarks["batch"] = f"Memory ran out: graded {self._batch} {many} at a time."
        elif following < len(self.places):
            left = self.device
            self._move(self.places[following])
            release_memory(left)
            remarks.pop("batch", None)  # the CPU starts with its own
            remarks["device"] = "Out of GPU memory: the CPU took over."
        else:
            raise AssessmentError(
                f"{volume.name} cannot be graded: memory runs out even for one slice at a time; "
                "close other programs and try again."
            )


def _in_place(found: np.ndarray, positions: Sequence[int], count: int) -> np.ndarray:
    """Rows of some of ``count`` images in their places, NaN in the others'."""
    if len(found) == count:
        return found
    rows = np.full((count, found.shape[1]), np.nan)
    rows[positions] = found
    return rows


def blank_in_words(volume: Volume) -> tuple[str, ...]:
    """A sentence about the images without content, where there are some."""
    blank = volume.blank
    if volume.missing is not None:
        blank = blank & ~volume.missing  # what is missing was said when it was read
    if not blank.any():
        return ()
    whole = blank.all(axis=0)
    said = [in_words(np.flatnonzero(whole))] if whole.any() else []
    rest = int((blank & ~whole).sum())
    if rest:
        also = " more" if said else ""
        said.append(f"{rest}{also} image{'s' if rest > 1 else ''} of single frames")
    text = " and ".join(said)
    return (f"Blank, so without a grade and no part of the volume's: {text}.",)


_NATIVE = {np.dtype(kind) for kind in ("u1", "i1", "i2", "i4", "f2", "f4")}


def as_tensor(images: np.ndarray) -> torch.Tensor:
    """Images as a tensor of their own type where every device knows it, else as float32."""
    if images.dtype not in _NATIVE:
        images = images.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(images))
