"""The motion simulator against TorchIO's RandomMotion on the same slices.

RandomMotion cuts k-space along an image's third axis. A 2-D image as TorchIO holds it, (1, rows,
columns, 1), has one line there, so that it comes out moved but without any artefact; laid out as
(1, 1, rows, columns) it gets one. Both are timed. Its default is two movements a slice; the
simulator moves 8 to 14 times, once a heartbeat, and judges the severity as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import inputs
import numpy as np
import torch
from results import Options, Result
from timing import compare

from MotionQATrainerLib.simulation.breathing import Behaviour, Breathing
from MotionQATrainerLib.simulation.simulator import Acquisition, MotionSimulator

BOUND = 5.0
HEARTBEATS = dict(zip(Behaviour, (8, 10, 12, 14), strict=True))


def run(options: Options) -> Iterator[Result]:
    person = inputs.person(options)
    stack = person.volume()
    ours = simulation(stack, person.spacing, options.device)
    for threads in sorted({1, torch.get_num_threads()}):
        for layout in ("rows × columns × 1", "1 × rows × columns"):
            for movements in (2, 10):
                theirs = random_motion(stack, layout, movements)
                with limited(threads):
                    pairs = compare(theirs, ours, options.repetitions, options.least)
                per_slice = (1000 * value / len(stack) / len(Behaviour) for value in pairs.medians)
                yield Result(
                    benchmark="simulator",
                    case=f"{movements} movements, {layout}, {threads} threads",
                    figure="TorchIO / simulator, time a slice",
                    values=pairs.ratios,
                    bound=BOUND if movements == 2 else None,
                    at_most=False,
                    detail="{:.2f} / {:.2f} ms a slice".format(*per_slice),
                )


def simulation(stack: np.ndarray, spacing, device: str) -> Callable[[], object]:
    """Corrupts the stack four times, once for each way of breathing."""
    rng = np.random.default_rng(0)
    breathing, simulate = Breathing.draw(rng), MotionSimulator(device)
    jobs = []
    for behaviour, heartbeats in HEARTBEATS.items():
        acquisition = replace(Acquisition.draw(rng), heartbeats=heartbeats)
        jobs.append(
            (
                breathing.displacement(behaviour, acquisition.times, len(stack), rng),
                acquisition,
            )
        )
    return lambda: [
        [part.cpu() for part in simulate(stack, spacing, *job, np.random.default_rng(0))]
        for job in jobs
    ]


def random_motion(stack: np.ndarray, layout: str, movements: int) -> Callable[[], object]:
    """Corrupts every slice as often as `simulation` does, images ready made."""
    import torchio

    slices = torch.from_numpy(stack)[:, None]
    slices = slices[..., None] if layout.endswith("1") else slices[:, None]
    images = [torchio.ScalarImage(tensor=image) for image in slices]
    transform = torchio.RandomMotion(num_transforms=movements)
    return lambda: [transform(image) for _ in Behaviour for image in images]


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Torch's and ITK's threads."""
    from SimpleITK import ProcessObject

    before = torch.get_num_threads(), ProcessObject.GetGlobalDefaultNumberOfThreads()
    torch.set_num_threads(threads)
    ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        ProcessObject.SetGlobalDefaultNumberOfThreads(before[1])
