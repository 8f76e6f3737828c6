"""Several processes that train one network, as ``torchrun`` starts them: one for each GPU.

Every process draws the same batch and takes its share of it, so that the numbers are those of one
process, to rounding. Only the first writes; all read the same folders, so that the processes of
several machines need a file system in common. What each alone would decide, such as to stop, is
agreed on, over gloo, which waits for no GPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

PATIENCE = timedelta(hours=6)
"""How long the others wait while the first reads the images, which may be many."""


class World:
    """The processes of a run; without ``torchrun``, this one alone.

    Parameters
    ----------
    rank, size : this process's number, and how many there are
    local_rank : its number on its machine, and that of its GPU
    """

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        self.rank, self.size, self.local_rank = rank, size, local_rank

    @classmethod
    def join(cls) -> World:
        """The world that ``torchrun`` set up, which this process enters."""
        if "WORLD_SIZE" not in os.environ or int(os.environ["WORLD_SIZE"]) < 2:
            return cls()
        numbers = [int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
        if not dist.is_initialized():
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            if torch.cuda.is_available():
                torch.cuda.set_device(numbers[2] % torch.cuda.device_count())
            dist.init_process_group(backend, timeout=PATIENCE)
        return cls(*numbers)

    def leave(self) -> None:
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def device(self, wanted: str) -> str:
        """The device of this process: a GPU of its own where there are several."""
        if self.size > 1 and wanted in ("auto", "cuda") and torch.cuda.is_available():
            return f"cuda:{self.local_rank % torch.cuda.device_count()}"
        return wanted

    def share(self) -> slice:
        """Which samples of every batch, and of what is validated, are this process's."""
        return slice(self.rank, None, self.size)

    def spread(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model with gradients that are averaged over the processes."""
        if self.size == 1:
            return model
        ids = [device.index] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=ids)

    def normalised_together(self, model: nn.Module, device: torch.device) -> tuple[nn.Module, str]:
        """The model with batch statistics of the whole batch, and a sentence where it has not."""
        norms = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())
        if self.size == 1 or not norms:
            return model, ""
        if device.type == "cuda":
            from timm.layers import convert_sync_batchnorm

            return convert_sync_batchnorm(model), ""
        return model, (
            "Batch statistics are each process's own, because PyTorch shares them on GPUs only: "
            "the numbers will differ from those of one process."
        )

    def first(self, value: Any = None) -> Any:
        """What the first process gives here."""
        if self.size == 1:
            return value
        held = [value]
        dist.broadcast_object_list(held, src=0, device=torch.device("cpu"))
        return held[0]

    def wait(self) -> None:
        """Wait until all have come here."""
        self.first()

    def after_first(self, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, called by the others when the first has done with it."""
        made = make() if self.writes else None
        self.wait()
        return made if self.writes else make()

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Whether each holds in one of the processes."""
        if self.size == 1:
            return flags
        counted = torch.tensor(flags, dtype=torch.float32)
        dist.all_reduce(counted, dist.ReduceOp.MAX)
        return tuple(bool(count) for count in counted)

    def sum(self, value: float) -> float:
        """The sum over the processes."""
        if self.size == 1:
            return value
        total = torch.tensor([value], dtype=torch.float64)
        dist.all_reduce(total)
        return float(total)

    def gather(self, mine: np.ndarray, n: int) -> np.ndarray:
        """The n rows of which each process has its `share`, in their order, everywhere."""
        if self.size == 1:
            return mine
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, mine)
        whole = np.empty((n, *mine.shape[1:]), mine.dtype)
        for rank, part in enumerate(parts):
            whole[rank :: self.size] = part
        return whole

    def agree_on_buffers(self, model: nn.Module) -> None:
        """Give every process the first one's running statistics."""
        if self.size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)
