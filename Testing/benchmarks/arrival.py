"""Series as they arrive: how soon the grade is there, and that days of them fill no memory.

The delay is counted from the end of the quiet time, beyond reading and grading themselves. The
soak sends a day's series, ten an hour, through the listener one after the other; what the service
does by the clock is sped up as much.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

TESTING = Path(__file__).resolve().parents[1]
# The sources first: the tests' folders bear their names.
sys.path[:0] = [str(TESTING.parent / name) for name in ("MotionQA", "MotionQATrainer", "Testing")]

DELAY = 0.5
"""Seconds."""

GROWTH = 1.05
A_DAY = 240


def run(options) -> Iterator:
    from results import Result

    if find_spec("pynetdicom") is None:
        return
    found = json.loads(_child("delay", options))
    yield Result(
        benchmark="arrival",
        case="delay",
        figure="s from the quiet time's end to the grade, beyond reading and grading",
        values=tuple(found["delays"]),
        bound=DELAY,
        at_most=True,
        detail=f"reading and grading {found['work']:.2f} s, {found['images']} images",
    )
    found = json.loads(_child("soak", options))
    yield Result(
        benchmark="arrival",
        case=f"soak of {found['series']} series",
        figure="memory at the end / after a tenth",
        values=(found["end"] / found["tenth"],),
        bound=GROWTH,
        at_most=True,
        detail=f"{found['end'] / 1e6:.0f} / {found['tenth'] / 1e6:.0f} MB, "
        f"{found['seconds']:.0f} s",
    )


def _child(what: str, options) -> str:
    arguments = [what, "quick" if options.quick else "whole", str(options.repetitions)]
    output = subprocess.check_output([sys.executable, __file__, *arguments], text=True)
    return output.splitlines()[-1]


def _assessor(folder: Path):
    import inputs

    from MotionQALib.assessment import Assessor
    from MotionQALib.backbones import STARTER_BACKBONE

    return Assessor(inputs.checkpoint(folder, STARTER_BACKBONE), device="cpu")


def delay(quick: bool, repetitions: int) -> dict:
    """One series after the other, into the service directly."""
    from cine_objects import save, series
    from MotionQALib.arrivals.arrivals import Arrivals
    from MotionQALib.arrivals.image_facts import ImageFacts
    from MotionQALib.arrivals.results_folder import ResultsFolder
    from MotionQALib.arrivals.series_grader import SeriesGrader, read_series
    from MotionQALib.arrivals.service import ArrivalService

    slices, phases, size = (2, 2, 32) if quick else (12, 25, 208)
    quiet = 1.0
    delays, works = [], []
    with TemporaryDirectory() as name:
        folder = Path(name)
        assessor = _assessor(folder)
        taken = []

        def grade(one):
            start = time.perf_counter()
            assessor.assess(read_series(one))
            middle = time.perf_counter()
            graded = grader(one)
            taken.append((middle - start, middle))
            return graded

        grader = SeriesGrader(assessor, reports=find_spec("highdicom") is not None)
        said = []
        results = ResultsFolder(folder / "out")
        service = ArrivalService(
            Arrivals(quiet, 60), results, grade, say=lambda s: said.append(time.perf_counter())
        )
        for number in range(repetitions):
            paths = save(
                series(slices, phases, seed=number, size=size), folder / "in" / str(number)
            )
            facts = [ImageFacts.of_file(path) for path in paths]
            for image in facts:
                service.take(image)
            start = time.perf_counter()
            while len(said) <= number:
                service.step()
                service.wait()
            work = taken[-1][0]
            # Reading and grading were done twice, once to be timed.
            delays.append(said[-1] - start - quiet - 2 * work)
            works.append(work)
        results.close()
    return {"delays": delays, "work": sorted(works)[len(works) // 2], "images": slices * phases}


def soak(quick: bool, _repetitions: int) -> dict:
    """A day's series through listener, service and results."""
    from memory import resident

    from cine_objects import series
    from kills import send
    from MotionQALib.arrivals import service as service_module
    from MotionQALib.arrivals.arrivals import Arrivals
    from MotionQALib.arrivals.image_facts import ImageFacts
    from MotionQALib.arrivals.results_folder import ResultsFolder
    from MotionQALib.arrivals.series_grader import SeriesGrader
    from MotionQALib.arrivals.service import ArrivalService
    from MotionQALib.dimse.object_store import ObjectStore
    from MotionQALib.dimse.receiver import Receiver
    from MotionQALib.dimse.settings import ListenerSettings

    count = 10 if quick else A_DAY
    service_module.REMEMBERED = 2.0
    start = time.perf_counter()
    with TemporaryDirectory() as name:
        folder = Path(name)
        results = ResultsFolder(folder / "out")
        store = ObjectStore(folder / "incoming")
        graded = []
        service = ArrivalService(
            Arrivals(0.05, 5),
            results,
            SeriesGrader(_assessor(folder)),
            say=graded.append,
            recall=lambda image: [ImageFacts.of_file(p) for p in store.files_of(image.series)],
            release=store.remove,
            keep=10.0,
        )
        receiver = Receiver(ListenerSettings(port=0), store, service.take, graded.append)
        port = type("Port", (), {"port": staticmethod(lambda: receiver.port)})
        sizes = {}
        for number in range(count):
            images = series(2 if quick else 8, 2 if quick else 10, seed=number, size=64)
            assert send(port, images, {}) == len(images)
            while len(graded) <= number:
                service.step()
                service.wait()
            del images
            if number + 1 in (count // 10, count):
                gc.collect()
                sizes[number + 1] = resident()
        receiver.stop()
        results.close()
        assert all("motion, score" in sentence for sentence in graded), graded[-1]
    return {
        "series": count,
        "tenth": sizes[count // 10],
        "end": sizes[count],
        "seconds": time.perf_counter() - start,
    }


if __name__ == "__main__":
    what, how, repetitions = sys.argv[1:]
    print(json.dumps({"delay": delay, "soak": soak}[what](how == "quick", int(repetitions))))
