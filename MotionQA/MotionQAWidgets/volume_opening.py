"""Opens a graded file or DICOM series, with its grades over the slice views.

    opening = VolumeOpening(results)      # scene_results.SceneResults
    opening.opened.connect(f)             # f(volumeNode): it is in the scene with its result
    opening.failed.connect(f)             # f(sentence)
    opening.open(path, assessment)

A DICOM series is read by a process of its own, so that the window answers meanwhile and slices and
frames are those that were graded; other files are opened by Slicer's own readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import slicer
from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.formats.file_kinds import is_dicom
from MotionQALib.results import Assessment
from MotionQALib.signals import Signal
from MotionQALib.volume_process import ReadVolume, VolumeRead
from MotionQALib.volumes import VolumeError

from . import cine_reader
from .message_process import MessageProcess
from .scene_results import SceneResults
from .series_volume import volume_of_series
from .volume_input import VolumeInput

FILE = "MotionQA.File"
"""The attribute of a volume that names the file or folder which it was opened from."""

MODULE = "MotionQALib.volume_process"


class VolumeOpening:
    """See the top of this file; of several that are asked for in a row, the last is opened."""

    def __init__(self, results: SceneResults) -> None:
        self.opened, self.failed = Signal(), Signal()
        self._results = results
        self._process: MessageProcess | None = None
        self._output: Path | None = None
        self._count = 0

    @property
    def busy(self) -> bool:
        return self._process is not None

    def open(
        self,
        path: str | Path,
        assessment: Assessment,
        *,
        files: Sequence[str] = (),
        name: str = "",
    ) -> None:
        """Open what was graded; `opened` or `failed` follows, perhaps before this returns.

        Parameters
        ----------
        files : of a DICOM series that lies among others; ``path`` is one of them
        name : of the volume in the scene, if not the file's
        """
        self._stop()
        path = Path(path)
        node = _opened_before(path)
        if node is not None:
            self._show(node)
            self.opened.emit(node)
        elif not path.exists():
            text = _("{path} is not where it was any more.")
            self.failed.emit(text.format(path=path))
        elif path.is_dir() or is_dicom(path):
            self._read(path, assessment, files or (str(path),), name)
        else:
            self._finish(path, assessment, _open_file(path, assessment.n_frames > 1))

    def close(self) -> None:
        """Nothing is opened any more; no signal follows."""
        self._stop()
        self.opened.disconnect()
        self.failed.disconnect()

    def _read(self, path: Path, assessment: Assessment, files: Sequence[str], name: str) -> None:
        self._count += 1
        self._output = Path(slicer.app.temporaryPath) / f"motionqa-opening-{self._count}.npy"
        process = self._process = MessageProcess(MODULE)
        process.received.connect(lambda message: self._on_read(path, assessment, name, message))
        process.ended.connect(self._on_end)
        process.send(ReadVolume(paths=list(files), output=str(self._output)))

    def _on_read(
        self, path: Path, assessment: Assessment, name: str, message: protocol.Message
    ) -> None:
        node, sentence = None, getattr(message, "sentence", "")
        if isinstance(message, VolumeRead):
            try:
                voxels = np.load(message.output, mmap_mode="r", allow_pickle=False)
                node = volume_of_series(voxels, message, name or message.name)
            except (OSError, ValueError) as error:
                sentence = _("{path} could not be opened ({reason}).").format(
                    path=path, reason=error
                )
        self._stop()
        if node is None:
            self.failed.emit(sentence)
        else:
            self._finish(path, assessment, node)

    def _on_end(self, log: list[str]) -> None:
        """It has ended without an answer."""
        if self._process is not None:
            self._stop()
            text = _("It could not be opened: its process ended ({reason}).")
            self.failed.emit(text.format(reason=log[-1] if log else _("no reason given")))

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
        if self._output is not None:
            with suppress(OSError):
                self._output.unlink()
            self._output = None

    def _finish(self, path: Path, assessment: Assessment, node) -> None:
        if node is None:
            self.failed.emit(_("{path} could not be opened by Slicer.").format(path=path))
            return
        node.SetAttribute(FILE, str(path))
        try:
            given = VolumeInput.of_node(node)
        except VolumeError as error:
            self.failed.emit(str(error))
            return
        shape = len(given.frames), len(given.frames[0])
        if shape == (assessment.n_frames, assessment.n_slices):
            self._results.store(node, assessment, slice_axis=given.slice_axis)
            self._show(node)
            self.opened.emit(node)
        else:
            text = _(
                "{name} is open, but Slicer makes {slices} slices and {frames} frames of it, and "
                "others were graded; press Assess motion."
            )
            self._show(node)
            self.failed.emit(text.format(name=given.name, slices=shape[1], frames=shape[0]))

    @staticmethod
    def _show(node) -> None:
        """As it was acquired: a short-axis stack is oblique."""
        slicer.util.setSliceViewerLayers(background=node, fit=True, rotateToVolumePlane=True)


def _opened_before(path: Path):
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return next((node for node in nodes if node.GetAttribute(FILE) == str(path)), None)


def _open_file(path: Path, cine: bool):
    """By Slicer's readers: the volume, or the one that a cine plays in; None if it cannot."""
    try:
        if cine_reader.frame_count(path) > 1:
            sequence, _browser = cine_reader.load(path)
        elif cine:
            sequence = slicer.util.loadSequence(str(path))
        else:
            return slicer.util.loadVolume(str(path))
    except (RuntimeError, VolumeError):
        return None
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode"):
        if browser.IsSynchronizedSequenceNode(sequence, True):
            return browser.GetProxyNode(sequence)
    return None
