"""How the weights move: parameter groups, learning rate by step, and the fastest way to compute."""

from __future__ import annotations

import copy
import math
import time

import torch
from torch import nn

from MotionQALib.devices import DeviceSetup

from .training_settings import TrainingSettings


def optimiser(model: nn.Module, settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW; norms and biases do not decay, the new classifier learns ``head_rate`` faster."""
    head = {id(parameter) for parameter in model.get_classifier().parameters()}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups.setdefault((id(parameter) in head, parameter.ndim > 1), []).append(parameter)
    device = next(model.parameters()).device.type
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "rate": settings.head_rate if is_head else 1.0,
                "weight_decay": settings.weight_decay if decays else 0.0,
            }
            for (is_head, decays), parameters in groups.items()
        ],
        lr=settings.learning_rate,
        fused=device in ("cpu", "cuda"),
    )


def freeze(model: nn.Module, groups: int) -> None:
    """Keep the weights of the first groups of layers, counted from the image, as timm groups them.

    Raises ValueError where so many would leave nothing but the classifier to learn.
    """
    if not groups:
        return
    from timm.models import group_parameters

    grouped = group_parameters(model, model.group_matcher(coarse=True))
    if groups >= len(grouped):
        raise ValueError(
            f"training.frozen is at most {len(grouped) - 1} for this network; got {groups}."
        )
    parameters = dict(model.named_parameters())
    for number in sorted(grouped)[:groups]:
        for name in grouped[number]:
            if name in parameters:
                parameters[name].requires_grad_(False)


def set_rate(adam: torch.optim.Optimizer, settings: TrainingSettings, step: int, n: int) -> float:
    """Set the learning rate of step ``step`` of ``n`` and return it (the backbone's)."""
    rate = settings.learning_rate * schedule(step, n, settings.warmup)
    for group in adam.param_groups:
        group["lr"] = rate * group["rate"]
    return rate


def schedule(step: int, n: int, warmup: float) -> float:
    """Linear warm-up, then half a cosine down to (almost) 0: a factor in (0, 1]."""
    rising = round(warmup * n)
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, n - rising)))


def training_setup(
    model: nn.Module, device: torch.device, precision: str, size: int, batch_size: int = 8
) -> DeviceSetup:
    """Precision and memory format for training steps on a device.

    On a CPU they are found by timing a few steps of a copy: which is fastest there differs
    between processors and networks by a factor of three.
    """
    if device.type != "cpu":
        able = device.type == "cuda" and torch.cuda.is_bf16_supported(False)
        chosen = ("bf16" if able else "fp32") if precision == "auto" else precision
        return DeviceSetup(device, chosen, channels_last=device.type == "cuda")
    precisions = ("fp32", "bf16") if precision == "auto" else (precision,)
    places = [DeviceSetup(device, p, last) for p in precisions for last in (False, True)]
    return min(places, key=lambda place: _seconds(model, place, size, batch_size))


def _seconds(
    model: nn.Module, place: DeviceSetup, size: int, batch_size: int, repeats: int = 2
) -> float:
    """Least time of a training step after one to warm up."""
    trial = place.settle(copy.deepcopy(model)).train()
    images = torch.randn(batch_size, 1, size, size, generator=torch.Generator().manual_seed(0))
    taken = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        place.forward(trial, images).float().square().mean().backward()
        taken.append(time.perf_counter() - start)
    return min(taken[1:])
