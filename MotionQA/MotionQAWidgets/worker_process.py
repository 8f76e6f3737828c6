"""Slicer's side of the grading process: feeds it, watches it, outlives what happens to it."""

from __future__ import annotations

import logging
from collections import deque
from itertools import count
from pathlib import Path

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.results import Assessment
from MotionQALib.signals import Signal

from .child import python_programs, wait_for_ends
from .grading_child import GradingChild
from .job import Job

TICK = 0.25
"""Seconds between two looks of the watchdog, which counts them: sleep of the machine is no hang."""

WRITING = 0.01
"""Seconds that writing voxels may keep the main thread at a time, about."""

QUITTING = 1000
"""Milliseconds that quitting may wait for the child to be gone; it nearly never has to."""


class WorkerProcess:
    """One warm child process that grades, one request after the other.

    Requests wait for their turn. Each ends with exactly one of `loaded` (of `load`), `result`,
    `explained`, `failed` or `cancelled`, never before the method that made it has returned.
    Nothing here keeps the main thread waiting. After a crash the child is started again, with the
    checkpoint that it had; only the request that it died on fails.

    Signals
    -------
    device_changed(Device) : where it computes, and why
    loaded(id, Loaded) : a checkpoint is loaded, also on the way of a request that needed it
    progress(id, done, total) : in slices
    result(id, Assessment)
    explained(id, maps) : (slices asked for, rows, columns) float32
    failed(id, sentence, missing) : ``missing`` is the package that is not installed, or None
    cancelled(id)
    busy_changed(bool)

    Attributes
    ----------
    device : the last Device told, or None
    start_limit, progress_limit, cancel_limit : seconds without a sign of life after which the
        child is killed: while it starts or loads, while it computes, after it was told to stop
    """

    start_limit = 300.0
    progress_limit = 60.0
    cancel_limit = 3.0

    def __init__(self) -> None:
        self.device_changed = Signal()
        self.loaded = Signal()
        self.progress = Signal()
        self.result = Signal()
        self.explained = Signal()
        self.failed = Signal()
        self.cancelled = Signal()
        self.busy_changed = Signal()
        self.device: protocol.Device | None = None
        self.programs = python_programs()
        self.child: GradingChild | None = None
        self._wanted_device = "auto"
        self._warm: protocol.Loaded | None = None
        self._ids = count(1)
        self._queue: deque[Job] = deque()
        self._job: Job | None = None
        self._busy = False
        self._waited = 0.0
        self._watch = qt.QTimer()
        self._watch.interval = int(1000 * TICK)
        self._watch.timeout.connect(self._on_tick)
        slicer.app.aboutToQuit.connect(self._on_quit)

    # What is asked of it

    @property
    def running(self) -> bool:
        return self.child is not None

    @property
    def busy(self) -> bool:
        """Whether a volume waits or is computed on, other than one that was cancelled."""
        return self._busy

    @property
    def at_work_on(self) -> int | None:
        """The request that the child was given, with all its voxels, and has not ended yet."""
        return None if self._job is None or not self._job.sent else self._job.request.id

    def start(self, device: str = "auto") -> None:
        """Start the child, which imports torch and tells the device; no harm if it runs."""
        if self.child is None:
            self._wanted_device = device
            self._launch()

    def load(self, checkpoint: str | Path, device: str = "auto") -> int:
        """Make a checkpoint ready before it is needed; the id of the request."""
        for job in [job for job in self._queue if job.file is None]:
            self.cancel(job.request.id)  # a choice that was changed before its turn
        self._wanted_device = device
        request = protocol.Load(id=next(self._ids), checkpoint=str(checkpoint), device=device)
        return self._add(Job(request))

    def assess(self, voxels, spacing, **about) -> int:
        """Grade a volume; the id of the request.

        Parameters
        ----------
        voxels : as `VoxelFile` takes them
        spacing : mm between slices, rows, columns
        name, checkpoint : what to call the volume, and what to grade it with
        device, source, identity : may be left out; see `protocol.Assess`
        """
        return self._add_volume(protocol.Assess, voxels, spacing, about)

    def explain(self, voxels, spacing, positions, **about) -> int:
        """Relevance maps of slices, counted through all frames; otherwise like `assess`."""
        about["positions"] = positions
        return self._add_volume(protocol.Explain, voxels, spacing, about)

    def cancel(self, request: int | None = None) -> None:
        """Cancel one request or all; `cancelled` follows at once, however long stopping takes."""
        for job in self._jobs():
            if job.cancelled or request not in (None, job.request.id):
                continue
            job.cancelled = True
            self._later(self.cancelled, job.request.id)
            if job is not self._job:
                self._queue.remove(job)
                job.delete_files()
            elif job.sent:
                self._waited = 0.0
                self.child.send(protocol.Cancel(id=job.request.id))
            else:
                self._finish(job)
        self._tell_busy()

    def close(self) -> None:
        """End the child and drop all requests, unannounced; whatever is asked next starts anew."""
        jobs = self._jobs()
        child, self.child = self.child, None
        self._queue.clear()
        self._job = self._warm = self.device = None
        self._watch.stop()
        if child is not None:
            child.leave()
        for job in jobs:
            job.delete_files()
        self._tell_busy()

    def dispose(self) -> None:
        """Close for good: nothing is left connected to it, nor it to the application."""
        for value in vars(self).values():
            if isinstance(value, Signal):
                value.disconnect()
        self._on_quit()
        self._watch.timeout.disconnect(self._on_tick)
        slicer.app.aboutToQuit.disconnect(self._on_quit)

    def _on_quit(self, *_) -> None:
        self.close()
        wait_for_ends(QUITTING)

    # The queue

    def _jobs(self) -> list[Job]:
        return [*([self._job] if self._job else []), *self._queue]

    def _add_volume(self, kind: type[protocol.Assess], voxels, spacing, about: dict) -> int:
        number = next(self._ids)
        try:
            job = Job.of_volume(
                kind, number, Path(slicer.app.temporaryPath), voxels, spacing, about
            )
        except ValueError as error:
            sentence = _("{name} cannot be graded: {reason}")
            sentence = sentence.format(name=about["name"], reason=error)
            self._later(self.failed, number, sentence, None)
            return number
        return self._add(job)

    def _add(self, job: Job) -> int:
        self._queue.append(job)
        self._tell_busy()
        qt.QTimer.singleShot(0, self._next)
        return job.request.id

    def _next(self) -> None:
        """Begin what is first in the queue, once the child is there and idle."""
        if self._job is not None or not self._queue:
            return
        if self.child is None:
            self._wanted_device = self._queue[0].request.device
            self._launch()
        elif self.child.ready:
            self._job = self._queue.popleft()
            self._watch_anew()
            self._hand_over(self._job)

    def _hand_over(self, job: Job) -> None:
        """Write a little more of the voxels, or send the request when all are written."""
        if job is not self._job:
            return
        self._waited = 0.0  # a slow disk is no hang of the child
        try:
            written = job.file is None or job.file.write(WRITING)
        except OSError as error:
            text = _("The voxels cannot be written to {folder} ({reason}); make room there.")
            folder = job.file.path.parent
            self._fail(job, text.format(folder=folder, reason=error.strerror))
            return
        if written:
            job.sent = True
            self._watch_anew()
            self.child.send(job.request)
        else:
            qt.QTimer.singleShot(0, lambda: self._hand_over(job))

    def _finish(self, job: Job) -> None:
        """The job is over, however it went."""
        if job is self._job:
            self._job = None
        job.delete_files()
        self._tell_busy()
        qt.QTimer.singleShot(0, self._next)

    def _fail(self, job: Job, sentence: str, missing: str | None = None) -> None:
        self._finish(job)
        if not job.cancelled:
            self.failed.emit(job.request.id, sentence, missing)

    def _tell_busy(self) -> None:
        busy = any(job.file is not None and not job.cancelled for job in self._jobs())
        if busy != self._busy:
            self._busy = busy
            self.busy_changed.emit(busy)

    @staticmethod
    def _later(signal: Signal, *values) -> None:
        qt.QTimer.singleShot(0, lambda: signal.emit(*values))

    # What the child does

    def _launch(self) -> None:
        child = self.child = GradingChild(self.programs[0], self._wanted_device)
        child.received.connect(lambda message: self._on_message(child, message))
        child.ended.connect(lambda _log: self._on_death(child))
        self._watch_anew()

    def _on_message(self, child: GradingChild, message: protocol.Message) -> None:
        if child is not self.child:
            return
        self._waited = 0.0
        if isinstance(message, protocol.Ready):
            self._on_ready(message)
        elif isinstance(message, protocol.Device):
            self.device = message
            self.device_changed.emit(message)
        elif self._job is not None and message.id == self._job.request.id:
            self._on_answer(self._job, message)
        elif isinstance(message, protocol.Failed):
            logging.warning("MotionQA's grading process: %s", message.sentence)

    def _on_ready(self, message: protocol.Ready) -> None:
        if message.protocol != protocol.VERSION:
            child, self.child = self.child, None
            child.kill()
            self._fail_all(_("MotionQA was updated while it ran; restart Slicer."))
        else:
            self._next()

    def _on_answer(self, job: Job, message: protocol.Message) -> None:
        number, wanted = job.request.id, not job.cancelled
        if isinstance(message, protocol.Progress):
            if wanted:
                self.progress.emit(number, message.done, message.total)
        elif isinstance(message, protocol.Loaded):
            self._warm = message
            if type(job.request) is protocol.Load:
                self._finish(job)
            if wanted:
                self.loaded.emit(number, message)
        elif isinstance(message, protocol.Failed):
            self._fail(job, message.sentence, message.missing)
        else:
            self._on_end(job, message)

    def _on_end(self, job: Job, message: protocol.Message) -> None:
        """A result, maps, or the word that a cancelled request has stopped."""
        signal, value = None, None
        if isinstance(message, protocol.Result):
            signal, value = self.result, Assessment.from_dict(message.assessment)
        elif isinstance(message, protocol.Explained):
            try:
                signal, value = self.explained, np.load(message.output, allow_pickle=False)
            except (OSError, ValueError) as error:
                text = _("The relevance maps did not arrive ({reason}); try again.")
                self._fail(job, text.format(reason=error))
                return
        self._finish(job)
        if signal is not None and not job.cancelled:
            signal.emit(job.request.id, value)

    def _on_death(self, child: GradingChild, why: str | None = None) -> None:
        """Fail what it died on, and start another one where there is hope for it."""
        if child is not self.child:
            return
        self.child = None
        warm, self._warm = self._warm, None
        if not child.ready:
            self._on_failed_start(child, why)
            return
        if self._job is not None:
            text = _("The grading process ended unexpectedly (was memory short?); try again.")
            self._fail(self._job, why or text)
        if child.up and self.child is None:
            self._launch()
            if warm is not None and not self._queue:
                self.load(warm.checkpoint, warm.device)

    def _on_failed_start(self, child: GradingChild, why: str | None) -> None:
        if len(self.programs) > 1:
            del self.programs[0]
            self._launch()
            return
        text = _("The grading process could not be started ({program}: {reason}).")
        reason = child.log[-1] if child.log else _("no reason given")
        self._fail_all(why or text.format(program=self.programs[0], reason=reason))

    def _fail_all(self, sentence: str) -> None:
        jobs = self._jobs()
        self._queue.clear()
        for job in jobs:
            self._fail(job, sentence)

    # The watchdog

    def _watch_anew(self) -> None:
        self._waited = 0.0
        self._watch.start()

    def _limit(self) -> float | None:
        """Seconds that may pass without a message; None where nothing is waited for."""
        job = self._job
        if self.child is None or (self.child.ready and job is None):
            return None
        if job is None or not self.child.up:  # importing torch cannot be stopped, only lost
            return self.start_limit
        if job.cancelled:
            return self.cancel_limit
        warm = self._warm is not None and self._warm.checkpoint == job.request.checkpoint
        return self.progress_limit if warm else self.start_limit

    def _on_tick(self, *_args) -> None:
        limit = self._limit()
        self._waited += TICK
        if limit is None:
            self._watch.stop()
        elif self._waited > limit:
            child = self.child
            child.kill()
            text = _("The grading process hung for {seconds} seconds and was ended; try again.")
            self._on_death(child, text.format(seconds=round(limit)))
