"""Opens a graded file or DICOM series, with its grades over the slice views.

    opening = VolumeOpening(results)      # scene_results.SceneResults
    opening.opened.connect(f)             # f(volumeNode): it is in the scene with its result
    opening.failed.connect(f)             # f(sentence)
    opening.slow.connect(f)               # f(sentence): it takes long, and goes on
    opening.open(path, assessment)

A DICOM series is read by a process of its own, so that the window answers meanwhile and slices and
frames are those that were graded; other files are opened by Slicer's own readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from MotionQALib.formats.file_kinds import FORMATS, is_dicom, suffix_of
from MotionQALib.results import Assessment
from MotionQALib.signals import Signal
from MotionQALib.volumes import VolumeError

from . import cine_reader
from .scene_results import SceneResults
from .series_reading import SeriesReading
from .volume_input import VolumeInput

FILE = "MotionQA.File"
"""The attribute of a volume that names the file or folder which it was opened from."""

OTHERS = {suffix for suffix, reader in FORMATS.items() if reader != "dicom"}
"""Suffixes of files that Slicer's own readers open."""


class VolumeOpening:
    """See the top of this file; of several that are asked for in a row, the last is opened."""

    def __init__(self, results: SceneResults) -> None:
        self.opened, self.failed = Signal(), Signal()
        self._results = results
        self._asked: tuple[Path, Assessment] | None = None
        self._reading = SeriesReading()
        self._reading.read.connect(self._on_read)
        self._reading.failed.connect(self.failed.emit)
        self.slow = self._reading.slow

    @property
    def busy(self) -> bool:
        return self._reading.busy

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
        self._reading.stop()
        path = Path(path)
        node = _opened_before(path)
        if node is not None:
            self._show(node)
            self.opened.emit(node)
        elif files or suffix_of(path) not in OTHERS:
            # Not even asked whether it is there: its share may not answer.
            self._read(path, assessment, files or (str(path),), name)
        elif not path.exists():
            text = _("{path} is not where it was any more.")
            self.failed.emit(text.format(path=path))
        elif path.is_dir() or is_dicom(path):  # whatever it is called
            self._read(path, assessment, (str(path),), name)
        else:
            self._finish(path, assessment, _open_file(path, assessment.n_frames > 1))

    def close(self) -> None:
        """Nothing is opened any more; no signal follows."""
        self._reading.close()
        self.opened.disconnect()
        self.failed.disconnect()

    def _read(self, path: Path, assessment: Assessment, files: Sequence[str], name: str) -> None:
        self._asked = path, assessment
        self._reading.start(files, name)

    def _on_read(self, node) -> None:
        path, assessment = self._asked
        self._finish(path, assessment, node)

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
