"""How long Slicer's window does not answer while a volume is graded: the longest gap between two
ticks of a timer of a millisecond, in the event loop of the host that stands in for Slicer.

From the click to the grades in table and views, which are drawn by the processor here; and from the
click on a large cine until its voxels are with the grading process. The window has a process of its
own, as in Slicer: no torch.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

BOUND = 50.0
TESTING = Path(__file__).resolve().parents[1]


def run(options) -> Iterator:
    import inputs
    from results import Result

    if importlib.util.find_spec("PySide6") is None:
        print("answering: PySide6 is not installed; make bench installs it", file=sys.stderr)
        return
    shape = (3, 2, 64, 64) if options.quick else (30, 12, 512, 512)
    with TemporaryDirectory() as folder:
        file = inputs.volume(Path(folder), options)
        arguments = [file, str(options.repetitions), *map(str, shape)]
        said = subprocess.check_output([sys.executable, __file__, *arguments], text=True)
    for case, gaps in json.loads(said.splitlines()[-1]).items():
        yield Result(
            benchmark="answering",
            case=case,
            figure="ms at most between two ticks of the window's event loop",
            values=tuple(1000 * gap for gap in gaps),
            bound=BOUND,
            at_most=True,
            detail="handing over the voxels" if case != "volume" else "click to grades",
        )


def measure(file: str, repetitions: int, shape: tuple[int, ...]) -> dict[str, list[float]]:
    """In the child: seconds of the longest gap, one a repetition."""
    sys.path.insert(0, str(TESTING))
    import host

    host.pythonqt(__name__)
    running = host.start()
    import slicer

    panel = running.enter("MotionQA")
    grading = panel.logic.grading

    def click(node) -> None:
        panel.ui.volumeSelector.setCurrentNode(node)
        panel.ui.assessButton.click()

    def handed_over() -> bool:
        return not grading.running or grading.worker.at_work_on is not None

    volume = slicer.util.loadVolume(file)
    cine = cine_of(shape)
    click(volume)  # warm up: the checkpoint is loaded, the table is there
    running.wait_until(lambda: not grading.running, seconds=600)
    gaps: dict[str, list[float]] = {"volume": [], "cine " + " × ".join(map(str, shape)): []}
    for _ in range(repetitions):
        for case, (node, done) in zip(
            gaps, ((volume, lambda: not grading.running), (cine, handed_over)), strict=True
        ):
            gaps[case].append(longest_gap(lambda node=node: click(node), done))
            grading.cancel()
            running.wait_until(lambda: grading.worker.at_work_on is None, seconds=600)
    running.close()
    return gaps


def longest_gap(begin: Callable[[], None], done: Callable[[], bool]) -> float:
    """Run the event loop until it is done; the longest wait between two ticks."""
    import qt

    loop, timer, ticks = qt.QEventLoop(), qt.QTimer(), []

    def tick(*_args) -> None:
        ticks.append(time.perf_counter())
        if len(ticks) == 50:
            begin()
        elif len(ticks) > 50 and done():
            qt.QTimer.singleShot(100, loop.quit)  # what is drawn at the end counts, too

    timer.timerType = qt.Qt.PreciseTimer
    timer.timeout.connect(tick)
    timer.start(1)
    loop.exec()
    timer.stop()
    return max(after - before for before, after in pairwise(ticks[49:]))


def cine_of(shape: tuple[int, ...]):
    """(frames, slices, rows, columns) in a sequence; the volume that its browser plays."""
    import numpy as np
    import slicer

    rng = np.random.default_rng(0)
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    for frame in range(shape[0]):
        still = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "still")
        still.SetSpacing(0.8, 0.8, 8)
        slicer.util.updateVolumeFromArray(still, rng.integers(0, 900, shape[1:], np.int16))
        sequence.SetDataNodeAtValue(still, str(frame))
        slicer.mrmlScene.RemoveNode(still)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return browser.GetProxyNode(sequence)


if __name__ == "__main__":
    file, repetitions, *shape = sys.argv[1:]
    print(json.dumps(measure(file, int(repetitions), tuple(map(int, shape)))))
