"""One batch as Slicer sees it: its process, what it has graded so far, and how fast it goes."""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Sequence
from pathlib import Path

from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.batch_runs import batch_messages
from MotionQALib.batch_runs.work_rate import WorkRate
from MotionQALib.signals import Signal

from ..message_process import MessageProcess

MODULE = "MotionQALib.batch_runs.batch_process"


class BatchRun:
    """Grades folders in a process of its own; nothing here keeps the main thread waiting.

    Signals
    -------
    changed() : there is something new to show
    ended() : the last signal

    Attributes
    ----------
    graded : results, worst first
    failures : what could not be graded, with the reasons
    total : volumes, None until they are counted
    sentence : why it ended before its end, empty where it did not
    device : where it computes, empty until the network is loaded
    """

    def __init__(
        self,
        sources: Sequence[str | Path],
        output: str | Path,
        checkpoint: str,
        device: str = "auto",
    ) -> None:
        self.changed, self.ended = Signal(), Signal()
        self.output = Path(output)
        self.graded: list[batch_messages.VolumeGraded] = []
        self.failures: list[batch_messages.VolumeFailed] = []
        self.total: int | None = None
        self.sentence = self.device = ""
        self.running, self.stopping = True, False
        self._rate: WorkRate | None = None
        self._process = MessageProcess(MODULE)
        self._process.received.connect(self._on_message)
        self._process.ended.connect(self._on_end)
        self._process.send(
            batch_messages.StartBatch(
                sources=[str(source) for source in sources],
                output=str(output),
                checkpoint=checkpoint,
                device=device,
            )
        )

    def stop(self) -> None:
        """Stop after the slices in hand; what is graded is kept. `ended` follows."""
        if self.running:
            self.stopping = True
            self._process.send(batch_messages.StopBatch())
            self.changed.emit()

    def kill(self) -> None:
        """End the process at once; no signal follows. What is graded is on the disk."""
        self.running = False
        self._process.kill()
        self.changed.disconnect()
        self.ended.disconnect()

    @property
    def done(self) -> int:
        return len(self.graded) + len(self.failures)

    @property
    def left(self) -> int:
        return max(0, (self.total or 0) - self.done)

    @property
    def per_minute(self) -> float | None:
        return None if self._rate is None else self._rate.per_minute

    @property
    def seconds_left(self) -> float | None:
        return None if self._rate is None else self._rate.seconds_left(self.left)

    def _on_message(self, message: protocol.Message) -> None:
        if isinstance(message, batch_messages.VolumesFound):
            self.total = message.total
        elif isinstance(message, batch_messages.BatchDevice):
            self.device = message.reason
            self._rate = WorkRate(time.monotonic())
        elif isinstance(message, batch_messages.VolumeGraded):
            insort(self.graded, message, key=worst_first)
            self._count(message.known)
        elif isinstance(message, batch_messages.VolumeFailed):
            self.failures.append(message)
            self._count(False)
        elif isinstance(message, batch_messages.BatchRefused | batch_messages.BatchEnded):
            self.sentence = message.sentence
            self._finish()
            return
        self.changed.emit()

    def _count(self, known: bool) -> None:
        if not known and self._rate is not None:
            self._rate.ended(time.monotonic())

    def _on_end(self, log: list[str]) -> None:
        if self.running:
            text = _("The batch ended unexpectedly ({reason}); Go on takes it up again.")
            self.sentence = text.format(reason=log[-1] if log else _("no reason given"))
            self._finish()

    def _finish(self) -> None:
        self.running = False
        self.changed.emit()
        self.ended.emit()


def worst_first(graded: batch_messages.VolumeGraded) -> tuple:
    """What the results are sorted by: the expected score, then the name."""
    return graded.expected, graded.name
