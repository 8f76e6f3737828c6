"""An exponential moving average of a network's weights: steadier than the last step's."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Ema:
    """Keeps ``average``, a copy of the network whose weights trail the trained ones.

    Parameters
    ----------
    model : the network that is trained
    decay : share that stays at each step, reached gradually so that the random or borrowed start
        does not linger; 0: the average is the network itself, without a copy
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.average = copy.deepcopy(model).eval().requires_grad_(False) if decay else model

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Follow the network after step number ``step``, counted from 0."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.average.parameters()), list(model.parameters()), 1 - decay)
        # Running statistics are averages already.
        for mine, theirs in zip(self.average.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
