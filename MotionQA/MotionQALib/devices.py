"""Where the network runs, and how exactly it computes there.

Which precision is fastest on a CPU depends on the processor and on the network (bfloat16 halves
the time of a ResNet where the processor has instructions for it, and doubles that of Twins-SVT),
so it is found by trying, once for each network in a process.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass

import torch
from torch import nn

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_BUDGET = 2.0
"""Seconds that trying out precisions may take, about."""

_WORTHWHILE = 0.9
"""A candidate replaces plain float32 when it takes less than this part of its time."""

_measured: dict[tuple, DeviceSetup] = {}


class DeviceError(ValueError):
    """A device or precision that is not to be had here; the message says why."""


@dataclass(frozen=True)
class DeviceSetup:
    """A device and the way of computing on it."""

    device: torch.device
    precision: str = "fp32"
    channels_last: bool = False

    @property
    def memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def settle(self, model: nn.Module) -> nn.Module:
        """Bring the model here, in place."""
        return model.to(self.device, memory_format=self.memory_format)

    def forward(self, model: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Logits of (n, 1, size, size) images that are on this device already."""
        images = images.contiguous(memory_format=self.memory_format)
        with self.autocast():
            return model(images)

    def autocast(self) -> contextlib.AbstractContextManager:
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=_DTYPES[self.precision])


def find_device(wanted: str = "auto") -> tuple[torch.device, str]:
    """The device for ``wanted`` and one sentence that says why; DeviceError if there is none."""
    kind = str(wanted).split(":")[0]
    if kind not in DEVICES:
        raise DeviceError(f"{wanted!r} is not a device; choose one of {', '.join(DEVICES)}.")
    if kind == "cpu":
        return torch.device("cpu"), "CPU: it was asked for."
    missing = {"cuda": _cuda_missing(), "mps": _mps_missing()}
    if kind == "auto":
        for found in ("cuda", "mps"):
            if missing[found] is None:
                return torch.device(found), f"{_device_name(found)}: the fastest device here."
        return torch.device("cpu"), f"CPU: {missing['cuda']}."
    if missing[kind]:
        raise DeviceError(
            f"The device {wanted} cannot be used: {missing[kind]}. Choose auto or cpu."
        )
    return torch.device(wanted), f"{_device_name(wanted)}: it was asked for."


def find_device_setup(
    model: nn.Module, device: torch.device, size: int, precision: str = "auto"
) -> DeviceSetup:
    """The fastest way of computing on a device; on a CPU measured once for each kind of network.

    The model is then to be settled there.
    """
    if precision not in PRECISIONS:
        raise DeviceError(
            f"{precision!r} is not a precision; choose one of {', '.join(PRECISIONS)}."
        )
    if device.type == "cpu":
        parameters = sum(parameter.numel() for parameter in model.parameters())
        key = (type(model), parameters, size, precision, torch.get_num_threads())
        if key not in _measured:
            _measured[key] = _fastest(model, precision, size)
        return _measured[key]
    if device.type == "cuda":
        automatic = "bf16" if torch.cuda.get_device_capability(device)[0] >= 8 else "fp16"
        return DeviceSetup(device, automatic if precision == "auto" else precision, True)
    return DeviceSetup(device, "fp32" if precision == "auto" else precision)


def _fastest(model: nn.Module, precision: str, size: int) -> DeviceSetup:
    """Try every way on a few slices; float32 as stored unless another clearly wins."""
    deadline = time.perf_counter() + _BUDGET
    precisions = ("fp32", "bf16") if precision == "auto" else (precision,)
    formats = (False, True) if _is_convolutional(model) else (False,)
    places = [DeviceSetup(torch.device("cpu"), p, f) for f in formats for p in precisions]
    places = [places[0], *reversed(places[1:])]  # the likeliest winner before time is up
    # One slice alone hides much of what a batch gains by 16 bits or another memory format.
    images = torch.randn(4, 1, size, size, generator=torch.Generator().manual_seed(0))
    best, least = places[0], math.inf
    for tried, place in enumerate(places):
        if tried > 1 and time.perf_counter() > deadline:
            break
        taken = _seconds(model, place, images, least)
        if taken < least * (1.0 if place is places[0] else _WORTHWHILE):
            best, least = place, taken
    return best


def _seconds(model: nn.Module, place: DeviceSetup, images: torch.Tensor, least: float) -> float:
    """Shortest of four forward passes, the first of which warms up; fewer of slow networks.

    Stops early where the first pass shows that ``least`` is out of reach.
    """
    place.settle(model)
    taken: list[float] = []
    while sum(taken) < (1.0 if len(taken) < 2 else 0.1) and len(taken) < 4:
        start = time.perf_counter()
        with torch.inference_mode():  # not around settle: weights moved there know no gradients
            place.forward(model, images)
        taken.append(time.perf_counter() - start)
        if taken[0] > 3 * least:
            break
    return min(taken)


def _is_convolutional(model: nn.Module) -> bool:
    """Whether convolutions hold most weights, so that the memory format of images matters."""
    convolutions = (layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    inside = sum(layer.weight.numel() for layer in convolutions)
    return 2 * inside > sum(parameter.numel() for parameter in model.parameters())


def batch_size_of(model: nn.Module, device: torch.device) -> int:
    """Slices at a time that suit a device.

    A CPU gains nothing from many, and a cine then needs little memory. Convolutional networks'
    large maps are best kept so small that the system need not hand out memory anew in every pass:
    the starter takes a fifth longer for twelve slices at once than for six and six.
    """
    if device.type == "cpu":
        return 6 if _is_convolutional(model) else 16
    return 64 if device.type == "cuda" else 32


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def release_memory(device: torch.device) -> None:
    """Give cached memory of a device back, so that a smaller batch finds room."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _cuda_missing() -> str | None:
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return "this torch has no CUDA build"
    if not torch.cuda.is_available():
        return "torch finds no GPU with a working driver"
    return None


def _mps_missing() -> str | None:
    if not torch.backends.mps.is_built():
        return "this torch has no build for Apple's GPUs (MPS)"
    if not torch.backends.mps.is_available():
        return "this Mac has no GPU that torch can use (MPS)"
    return None


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        return f"GPU ({torch.cuda.get_device_name(device)})"
    return "Apple GPU (MPS)"
