"""A DICOM series read by a process of its own: the window answers, however slow the drive is.

reading = SeriesReading()
reading.read.connect(f)       # f(volumeNode): it is in the scene
reading.failed.connect(f)     # f(sentence)
reading.slow.connect(f)       # f(sentence): it takes long, and goes on
reading.start(files, name)
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.signals import Signal
from MotionQALib.volume_process import ReadVolume, VolumeRead

from .message_process import MessageProcess
from .series_volume import volume_of_series

MODULE = "MotionQALib.volume_process"

LONG = 20_000
"""Milliseconds after which it is said that the drive is slow."""


class SeriesReading:
    """See the top of this file; of several that are asked for in a row, the last is read."""

    _count = 0

    def __init__(self) -> None:
        self.read, self.failed, self.slow = Signal(), Signal(), Signal()
        self._process: MessageProcess | None = None
        self._output: Path | None = None
        self._timer = qt.QTimer()
        self._timer.interval = LONG
        self._timer.timeout.connect(self._on_long)

    @property
    def busy(self) -> bool:
        return self._process is not None

    def start(self, files: Sequence[str], name: str = "") -> None:
        """Read the series of these files, or of a folder; `read` or `failed` follows, later."""
        self.stop()
        SeriesReading._count += 1
        temporary = Path(slicer.app.temporaryPath)
        self._output = temporary / f"motionqa-opening-{SeriesReading._count}.npy"
        process = self._process = MessageProcess(MODULE)
        process.received.connect(lambda message: self._on_read(name, message))
        process.ended.connect(self._on_end)
        process.send(ReadVolume(paths=list(files), output=str(self._output)))
        self._timer.start()

    def stop(self) -> None:
        """Read nothing any more; no signal follows."""
        self._timer.stop()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
        if self._output is not None:
            with suppress(OSError):
                self._output.unlink()
            self._output = None

    def close(self) -> None:
        self.stop()
        for signal in (self.read, self.failed, self.slow):
            signal.disconnect()

    def _on_read(self, name: str, message: protocol.Message) -> None:
        node, sentence = None, getattr(message, "sentence", "")
        if isinstance(message, VolumeRead):
            try:
                voxels = np.load(message.output, mmap_mode="r", allow_pickle=False)
                node = volume_of_series(voxels, message, name or message.name)
            except (OSError, ValueError) as error:
                sentence = _("It could not be opened ({reason}).").format(reason=error)
        self.stop()
        if node is None:
            self.failed.emit(sentence)
        else:
            self.read.emit(node)

    def _on_end(self, log: list[str]) -> None:
        """It has ended without an answer."""
        if self._process is not None:
            self.stop()
            text = _("It could not be opened: its process ended ({reason}).")
            self.failed.emit(text.format(reason=log[-1] if log else _("no reason given")))

    def _on_long(self, *_args) -> None:
        self._timer.stop()
        self.slow.emit(_("Still reading: its drive or share is slow, or does not answer."))
