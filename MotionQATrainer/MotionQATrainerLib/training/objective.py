"""What training minimises: the likelihood of what was labelled, plus an ordinal term.

A label is the set of scores it allows: one for a score, one or two for a grade. So scored and
merely graded images train together, and nothing is invented about what a reader did not say.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class OrdinalLikelihood(nn.Module):
    """Negative log likelihood of the allowed scores + ordinal_weight * squared distance.

    With F_k = P(score <= k) and the allowed scores filling [lo, hi], the squared distance is
    ``sum_{k < lo} F_k**2 + sum_{k >= hi} (1 - F_k)**2``: probability costs more the further it
    lies outside the interval, and nothing within. For a single score it is the squared earth
    mover's distance (Hou et al., 2016, arXiv:1611.05916).

    Parameters
    ----------
    ordinal_weight : weight of the squared distance, >= 0.
    """

    def __init__(self, ordinal_weight: float = 1.0):
        super().__init__()
        if not ordinal_weight >= 0:
            raise ValueError(f"ordinal_weight must be 0 or more; got {ordinal_weight!r}.")
        self.ordinal_weight = float(ordinal_weight)

    def forward(self, logits: Tensor, levels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean loss of a batch.

        Parameters
        ----------
        logits : (b, 5), any floating type; computed in at least float32.
        levels : (b, 5) bool, the scores that each label allows: neighbours, at least one.
        weights : (b,), one a sample, or None. The result is the weighted mean.
        """
        losses = self.each(logits, levels)
        if weights is None:
            return losses.mean()
        weights = weights.to(losses)
        # An all-zero batch costs nothing; its gradient is zero rather than NaN.
        return (losses * weights).sum() / weights.sum().clamp_min(torch.finfo(losses.dtype).tiny)

    def each(self, logits: Tensor, levels: Tensor) -> Tensor:
        """Return the loss of every sample, (b,)."""
        if logits.dtype in (torch.float16, torch.bfloat16):
            logits = logits.float()
        log_probabilities = logits.log_softmax(dim=-1)
        # The smallest number instead of -inf keeps the gradient of the forbidden scores finite.
        floor = torch.finfo(logits.dtype).min
        allowed = log_probabilities.masked_fill(~levels, floor).logsumexp(dim=-1)
        loss = -allowed
        if self.ordinal_weight:
            distance = squared_distance(log_probabilities.exp(), levels)
            loss = loss + self.ordinal_weight * distance
        return loss


def squared_distance(probabilities: Tensor, levels: Tensor) -> Tensor:
    """Squared cumulative distance of (b, 5) probabilities from the allowed scores, (b,)."""
    below = probabilities.cumsum(dim=-1)[..., :-1]  # F_1 ... F_4
    # Summed from the other end rather than as 1 - F: no cancellation where F is almost 1.
    above = probabilities.flip(-1).cumsum(dim=-1).flip(-1)[..., 1:]  # 1 - F_1 ... 1 - F_4
    reached = levels.long().cumsum(dim=-1)
    before_lowest = reached[..., :-1] == 0
    from_highest = reached[..., :-1] == reached[..., -1:]
    return (below.square() * before_lowest + above.square() * from_highest).sum(dim=-1)
