"""Grades volumes of the scene: hands them to the grading process, keeps what comes in the scene."""

from __future__ import annotations

import time
from dataclasses import dataclass

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.checkpoints import STARTER
from MotionQALib.results import Assessment
from MotionQALib.signals import Signal
from MotionQALib.volumes import VolumeError

from .relevance_map import RelevanceMaps
from .scene_results import SceneResults
from .volume_input import VolumeInput
from .worker_process import WorkerProcess

IDLE_LIMIT = 60_000
"""Milliseconds that an idle process is kept after the module was left: a look into another
module and back should not cost its start, and its memory is not kept for nothing."""


class GradingError(RuntimeError):
    """A volume could not be graded; the text is a sentence for the user."""


@dataclass(eq=False)
class _Run:
    """One volume on its way; ``assessment`` or ``sentence`` once it has ended.

    ``frame`` is the one whose relevance map is made, and ``checkpoint`` its card's name.
    """

    node: object
    slice_axis: int
    frame: int | None = None
    checkpoint: str = ""
    ended: bool = False
    assessment: Assessment | None = None
    sentence: str = ""


class Grading:
    """What panel and scripts grade with.

    Signals
    -------
    progress(volume_node, done, total) : in slices
    finished(volume_node, Assessment) : the result is in the scene already
    explained(volume_node) : its relevance map is in the scene already
    failed(volume_node, sentence, missing) : volume_node is None where a checkpoint did not load;
        missing is the Python package that is not installed, or None
    cancelled(volume_node)
    device_changed(Device)

    Attributes
    ----------
    results, maps : the SceneResults and RelevanceMaps it writes to
    worker : the WorkerProcess
    """

    def __init__(self) -> None:
        self.progress = Signal()
        self.finished = Signal()
        self.explained = Signal()
        self.failed = Signal()
        self.cancelled = Signal()
        self.device_changed = Signal()
        self.results = SceneResults()
        self.maps = RelevanceMaps()
        self._runs: dict[int, _Run] = {}
        self._kept_warm = False
        self._idle = qt.QTimer()
        self._idle.timeout.connect(self._on_idle)
        worker = self.worker = WorkerProcess()
        worker.progress.connect(self._on_progress)
        worker.result.connect(self._on_result)
        worker.explained.connect(self._on_explained)
        worker.failed.connect(self._on_failed)
        worker.cancelled.connect(self._on_cancelled)
        worker.device_changed.connect(self.device_changed.emit)
        worker.busy_changed.connect(self._rest)
        self._tag = slicer.mrmlScene.AddObserver(
            slicer.vtkMRMLScene.StartCloseEvent, self._on_scene_closing
        )

    # What is asked of it

    def warm_up(self, checkpoint: str = STARTER, device: str = "auto") -> None:
        """Start the process, load the checkpoint, and keep both until `cool_down`."""
        self._kept_warm = True
        self._idle.stop()
        self.worker.start(device)
        self.worker.load(checkpoint, device)

    def cool_down(self) -> None:
        """Let the process end once it has been idle for a while."""
        self._kept_warm = False
        self._rest()

    def assess(self, node, checkpoint: str = STARTER, device: str = "auto") -> int:
        """Grade a volume; the number of the request, which ends with one of the signals.

        Raises
        ------
        VolumeError : the node holds no image that could be graded; a sentence for the user
        """
        volume = VolumeInput.of_node(node)
        about = _about(volume, checkpoint, device)
        number = self.worker.assess(volume.frames, volume.spacing, **about)
        self._runs[number] = _Run(node, volume.slice_axis)
        return number

    def explain(self, node, frame: int, checkpoint: str = STARTER, device: str = "auto") -> int:
        """Map where the network saw motion in one frame of a graded volume; otherwise like
        `assess`. The worker is given all frames: the heart is found by what moves from one to
        another, and the map must be of what was graded.
        """
        result = self.results.result_for(node)
        if result is None:
            text = _("{name} is not graded yet; assess it first.")
            raise VolumeError(text.format(name=node.GetName()))
        volume = VolumeInput.of_node(node)
        slices = len(volume.frames[0])
        if not 0 <= frame < len(volume.frames):
            text = _("{name} has no frame {frame}; assess it again.")
            raise VolumeError(text.format(name=node.GetName(), frame=frame))
        positions = range(frame * slices, (frame + 1) * slices)
        about = _about(volume, checkpoint, device)
        number = self.worker.explain(volume.frames, volume.spacing, positions, **about)
        name = result.assessment.checkpoint
        self._runs[number] = _Run(node, volume.slice_axis, frame=frame, checkpoint=name)
        return number

    def assess_and_wait(self, node, checkpoint: str = STARTER, device: str = "auto") -> Assessment:
        """Grade a volume while Slicer's window keeps answering; GradingError says why it cannot."""
        try:
            run = self._runs[self.assess(node, checkpoint, device)]
        except VolumeError as error:
            raise GradingError(str(error)) from None
        while not run.ended:
            slicer.app.processEvents()
            time.sleep(0.002)
        if run.assessment is None:
            raise GradingError(run.sentence)
        return run.assessment

    def cancel(self) -> None:
        """Cancel all that runs or waits."""
        for number in list(self._runs):
            self.worker.cancel(number)

    @property
    def running(self) -> list:
        """Volumes that are graded or wait for it."""
        return [run.node for run in self._runs.values()]

    def dispose(self) -> None:
        """End the process; nothing is left connected or observed."""
        self._idle.stop()
        self._idle.timeout.disconnect(self._on_idle)
        slicer.mrmlScene.RemoveObserver(self._tag)
        for run in self._runs.values():
            run.ended, run.sentence = True, _("MotionQA was closed.")
        self._runs.clear()
        self.worker.dispose()
        self.results.close()
        self.maps.close()
        for signal in vars(self).values():
            if isinstance(signal, Signal):
                signal.disconnect()

    # What the process answers

    def _on_progress(self, number: int, done: int, total: int) -> None:
        if number in self._runs:
            self.progress.emit(self._runs[number].node, done, total)

    def _on_result(self, number: int, assessment: Assessment) -> None:
        run = self._end(number)
        if run is None:
            return
        run.assessment = assessment
        if slicer.mrmlScene.IsNodePresent(run.node):
            self.maps.remove(run.node)  # it shows what another run saw
            self.results.store(run.node, assessment, slice_axis=run.slice_axis)
            self.finished.emit(run.node, assessment)
        else:
            self.cancelled.emit(run.node)  # it was deleted meanwhile

    def _on_explained(self, number: int, relevance) -> None:
        run = self._end(number)
        if run is None:
            return
        if slicer.mrmlScene.IsNodePresent(run.node):
            self.maps.store(
                run.node,
                relevance,
                slice_axis=run.slice_axis,
                frame=run.frame,
                checkpoint=run.checkpoint,
            )
            self.explained.emit(run.node)
        else:
            self.cancelled.emit(run.node)  # it was deleted meanwhile

    def _on_failed(self, number: int, sentence: str, missing: str | None) -> None:
        run = self._end(number)
        if run is not None:
            run.sentence = sentence
        self.failed.emit(None if run is None else run.node, sentence, missing)

    def _on_cancelled(self, number: int) -> None:
        run = self._end(number)
        if run is not None:
            run.sentence = _("It was cancelled.")
            self.cancelled.emit(run.node)

    def _end(self, number: int) -> _Run | None:
        run = self._runs.pop(number, None)
        if run is not None:
            run.ended = True
        return run

    def _on_scene_closing(self, *_args) -> None:
        self.cancel()

    # Ending the process when nobody needs it

    def _rest(self, *_args) -> None:
        if not self._kept_warm and not self.worker.busy and self.worker.running:
            self._idle.start(IDLE_LIMIT)
        else:
            self._idle.stop()

    def _on_idle(self, *_args) -> None:
        self._idle.stop()
        if not self._kept_warm and not self.worker.busy:
            self.worker.close()


def _about(volume: VolumeInput, checkpoint: str, device: str) -> dict:
    """What the grading process is told of a volume beside its voxels."""
    return {
        "name": volume.name,
        "checkpoint": checkpoint,
        "device": device,
        "source": volume.source,
        "identity": volume.identity,
        "remarks": list(volume.remarks),
    }
