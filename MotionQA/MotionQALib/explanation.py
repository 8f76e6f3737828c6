"""Where in a slice the network saw motion.

The relevance of a place is how much it lowers the slice's expected score: the features there
times the derivative of the score with respect to them (HiResCAM: Draelos and Carin, 2020,
arXiv:2011.08891), summed over channels. It is taken at two depths of the network, and what counts
is where both agree: on slices of which the starter was shown one half spoilt by motion, nine
tenths of the relevance lie in that half, against seven to nine for either depth alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .heart_centre import heart_centre
from .scale import SCORES

if TYPE_CHECKING:
    from .assessment import Assessor
    from .volumes import Volume

LAYERS: dict[str, tuple[str, str]] = {
    "resnet101d": ("layer3", "layer4"),
    "swin_base_patch4_window7_224": ("layers.2", "layers.3"),
    "coat_lite_small": ("serial_blocks3.5", "serial_blocks4.1"),
    "twins_pcpvt_base": ("blocks.2.17", "blocks.3.2"),
    "twins_svt_base": ("blocks.2.17", "blocks.3.1"),
    "tf_efficientnet_lite0": ("blocks.4", "blocks.6"),
}
"""Late layers of each backbone at a sixteenth and a thirty-second of the input's resolution: the
ends of stages, but for CoaT, whose head reads no place of the last block, only its class token."""

BATCH_SIZE = 4
"""Slices at a time: unlike grading, this keeps all layers' features."""


def relevance(
    assessor: Assessor,
    volume: Volume,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> np.ndarray:
    """Relevance maps of all slices, in the volume's own grid.

    Returns
    -------
    (frames, slices, rows, columns) float32 in [0, 1]. A map's peak is the part of the scale that
    the slice has lost: 0 for an expected score of 5, 1 for a score of 1. So a clean slice has a
    faint map, and maps can be compared.
    """
    positions = range(volume.n_frames * volume.n_slices)
    maps = relevance_of(assessor, volume, positions, progress=progress, cancelled=cancelled)
    return maps.reshape(volume.voxels.shape)


def relevance_of(
    assessor: Assessor,
    volume: Volume,
    positions: Sequence[int],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> np.ndarray:
    """Relevance maps of chosen slices: (n, rows, columns), as in `relevance`.

    ``positions`` count the slices through all frames: frame * n_slices + slice. Raises what
    `Assessor.assess` raises.
    """
    shape = volume.voxels.shape[2:]
    centre = heart_centre(volume, assessor.preprocessing.locator)

    def compute(images: torch.Tensor) -> np.ndarray:
        maps, lost = _maps(assessor, images)
        maps = assessor.preprocessing.restore(maps, shape, volume.spacing[1:], centre)
        return (_to_unit(maps.clamp_min(0)) * lost[:, None, None]).cpu().numpy()

    maps, _ = assessor.run(
        volume,
        positions,
        compute,
        progress=progress,
        cancelled=cancelled,
        batch_size=BATCH_SIZE,
    )
    return maps


def _maps(assessor: Assessor, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps over the network's field of view, (n, side, side), and the part of the scale lost."""
    layers = [assessor.model.get_submodule(name) for name in LAYERS[assessor.card.backbone]]
    with torch.enable_grad(), _outputs_of(layers) as outputs:
        logits = assessor.model(images.requires_grad_()).double()
        probabilities = torch.softmax(logits / assessor.card.temperature, dim=1)
        scores = torch.tensor(SCORES, dtype=probabilities.dtype, device=probabilities.device)
        drop = (SCORES[-1] - probabilities @ scores) / (SCORES[-1] - SCORES[0])
        features = [outputs[layer] for layer in layers]
        slopes = torch.autograd.grad(drop.sum(), features)
    fine, coarse = (
        _to_unit(_on_grid(feature.detach().float() * slope.float()))
        for feature, slope in zip(features, slopes, strict=True)
    )
    coarse = functional.interpolate(
        coarse[:, None], fine.shape[1:], mode="bilinear", align_corners=False
    )[:, 0]
    agreed = (fine * coarse).sqrt()
    somewhere = agreed.amax(dim=(1, 2), keepdim=True) > 0
    return torch.where(somewhere, agreed, (fine + coarse) / 2), drop.detach().float()


@contextmanager
def _outputs_of(layers: Sequence[nn.Module]) -> Iterator[dict[nn.Module, torch.Tensor]]:
    """Collect what layers give during a forward pass."""
    outputs: dict[nn.Module, torch.Tensor] = {}

    def keep(layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        outputs[layer] = output

    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


def _on_grid(products: torch.Tensor) -> torch.Tensor:
    """Sum a layer's products over channels, the positive part: (n, side, side).

    Layers are (n, channels, side, side), (n, side, side, channels), or tokens (n, side², channels)
    that one of the class may precede.
    """
    if products.ndim == 3:
        side = math.isqrt(products.shape[1])
        tokens = products[:, products.shape[1] - side * side :].sum(dim=2)
        return tokens.reshape(-1, side, side).clamp_min(0)
    channels_first = products.shape[2] == products.shape[3]
    return products.sum(dim=1 if channels_first else 3).clamp_min(0)


def _to_unit(maps: torch.Tensor) -> torch.Tensor:
    """Divide each (n, rows, columns) map by its peak; a map of zeros stays so."""
    peaks = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(peaks > 0, maps / peaks.clamp_min(torch.finfo(maps.dtype).tiny), 0.0)
