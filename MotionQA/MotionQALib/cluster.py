"""Grading spread over the machines of a Ray cluster, by the code that grades on one machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .batch import BatchOptions, GradedFile, grade, read
from .pending_read import PendingRead


class ClusterError(RuntimeError):
    """The cluster cannot be used; the message says why."""


class Grader:
    """What every worker holds: the checkpoint, loaded once."""

    def __init__(
        self, checkpoint: str, batch_options: BatchOptions, options: dict[str, Any]
    ) -> None:
        from .assessment import Assessor

        self._assessor = Assessor(checkpoint, **options)
        self._options = batch_options

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        path = Path(row["path"])
        volume = PendingRead(read, path, self._options).result()
        graded = grade(path, volume, self._assessor, self._options)
        return {"graded": graded}


def assess_on_cluster(
    paths: Sequence[str | Path],
    checkpoint: str | Path,
    *,
    workers: int,
    batch_options: BatchOptions | None = None,
    gpus_per_worker: float = 0,
    cpus_per_worker: float = 1,
    **options: Any,
) -> Iterator[GradedFile]:
    """Grade files by ``workers`` processes, in order; needs ``ray[data]``.

    What a process had at hand when it was killed is graded by another; the rest is left as it is.

    Parameters
    ----------
    paths, checkpoint : files that every machine sees under the same path
    options : of `Assessor`

    Raises
    ------
    ClusterError : Ray is not installed
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise ClusterError(
            "Several workers need Ray, which is not installed: pip install 'motionqa[cluster]'."
        ) from None

    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False  # they would run into the lines of grades
    rows = [{"path": str(Path(path).resolve())} for path in paths]
    # A block a file, so that a worker takes the next one as soon as it is free.
    graded = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        Grader,
        fn_constructor_args=(str(checkpoint), batch_options or BatchOptions(), options),
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
        num_cpus=cpus_per_worker,
        num_gpus=gpus_per_worker,
    )
    for row in graded.iter_rows():
        yield row["graded"]
