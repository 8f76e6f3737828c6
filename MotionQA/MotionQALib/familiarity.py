"""Whether a slice looks like what a network was trained on: short-axis cardiac MR.

A network grades whatever it is given: a label map or a knee comes out "mild". This looks at what
the network's last layer is given, and asks how far that lies from real slices, and on which side
of images that are none. It costs no further network; its numbers travel in the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import nn

PREFIX = "familiarity."
"""Of its tensors among a checkpoint's."""

CERTAIN = 3.0
"""Above which a slice is called unfamiliar though nearly all others of its volume are not."""

REMARK = "Does not look like short-axis cardiac MR"


class Familiarity(nn.Module):
    """Maps features (n, d) to how unfamiliar they are, (n,): above 0 means unlike the training's.

    Features are turned to k principal axes of unit variance; unfamiliar is what a logistic rule on
    the axes, their squares and the length of the rest says.

    Parameters
    ----------
    d, k : numbers of features and of axes
    """

    def __init__(self, d: int, k: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("axes", torch.zeros(k, d))
        self.register_buffer("rest", torch.ones(1))
        self.register_buffer("weight", torch.zeros(2 * k + 2))
        self.register_buffer("bias", torch.zeros(1))

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, torch.Tensor]) -> Familiarity | None:
        """One of the right size for a checkpoint's tensors; None where it has none."""
        axes = tensors.get(f"{PREFIX}axes")
        if axes is None or axes.ndim != 2:
            return None
        return cls(axes.shape[1], axes.shape[0])

    def measures(self, features: torch.Tensor) -> torch.Tensor:
        """(n, 2k + 2): places on the axes, their squares, and two lengths on a log scale."""
        centred = features.float() - self.mean.float()
        places = (centred @ self.axes.float().T).clamp(-30, 30)
        # The axes have unit variance, so their directions are the rows scaled to length one.
        directions = nn.functional.normalize(self.axes.float(), dim=1)
        rest = centred - (centred @ directions.T) @ directions
        lengths = torch.stack(
            [
                torch.log1p(places.square().mean(1)),
                torch.log1p(rest.square().sum(1) / self.rest.float()),
            ],
            dim=1,
        )
        return torch.cat([places, places.square().clamp_max(50), lengths], dim=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """How unfamiliar (n, d) features are."""
        return self.measures(features) @ self.weight.float() + self.bias.float()


class FeatureTap:
    """Keeps what the last layer of a network was given in its last forward pass."""

    def __init__(self, model: nn.Module) -> None:
        self.features: torch.Tensor | None = None
        self._hook = model.get_classifier().register_forward_pre_hook(self._keep)

    def _keep(self, layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        self.features = inputs[0].detach()

    def remove(self) -> None:
        self._hook.remove()


def unfamiliar_in_words(unfamiliarity: np.ndarray, n_slices: int) -> tuple[str, ...]:
    """A sentence where slices look like nothing that the network was trained on; else none.

    Parameters
    ----------
    unfamiliarity : (frames * slices,), above 0 where an image is unfamiliar, NaN where it is blank

    A stack is of one organ: where less than a quarter of its slices are unfamiliar, only those are
    named that are so by far. Base and apex of a real heart may look odd.
    """
    table = unfamiliarity.reshape(-1, n_slices)
    looked_at = (~np.isnan(table)).sum(axis=0)  # not at blank images

    def above(limit: float) -> np.ndarray:
        return np.flatnonzero((looked_at > 0) & (2 * (table > limit).sum(axis=0) >= looked_at))

    slices = above(0.0)
    if 4 * len(slices) < (looked_at > 0).sum():
        slices = above(CERTAIN)
    if not len(slices):
        return ()
    if 2 * len(slices) >= (looked_at > 0).sum():
        return (f"{REMARK}: do not rely on its grades.",)
    named = ", ".join(map(str, slices))
    return (f"{REMARK} in slices {named}." if len(slices) > 1 else f"{REMARK} in slice {named}.",)


def unfamiliar_named(remarks: Iterable[str], n_slices: int) -> Iterator[list[int]]:
    """Slices of each sentence of `unfamiliar_in_words` that is among the remarks."""
    for text in remarks:
        if not text.startswith(REMARK):
            continue
        _, _, named = text.rstrip(".").partition(" in slice")
        numbers = named.removeprefix("s").strip()
        yield [int(n) for n in numbers.split(",")] if numbers else list(range(n_slices))
