"""What the panel says of a volume that is the first frame of a 4-D file, or part of a series."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from slicer.i18n import tr as _

from MotionQALib.volumes import VolumeError

from . import cine_reader
from .series_offer import SeriesOffer, WholeStack
from .series_reading import SeriesReading
from .volume_input import sequence_of, source_of


class FramesOffer:
    """Offers to load all frames of a file of which Slicer has opened the first, or all of a stack.

    Parameters
    ----------
    ui : the panel's widgets
    loaded : told the volume in which the frames play
    say : told what kept them from being loaded
    """

    def __init__(self, ui, loaded: Callable, say: Callable[[str], None]) -> None:
        self._ui, self._loaded, self._say = ui, loaded, say
        self._path: Path | None = None
        self._stack: WholeStack | None = None
        self._offer, self._reading = SeriesOffer(), SeriesReading()
        self._offer.found.connect(self._on_found)
        self._reading.read.connect(self._on_read)
        self._reading.failed.connect(self._on_failed)
        self._reading.slow.connect(say)
        ui.framesButton.clicked.connect(self._on_button)

    def refresh(self, volume) -> None:
        self._path, self._stack = _file_of(volume), None
        frames = 1 if self._path is None else _frames(self._path, self._path.stat().st_mtime_ns)
        label, button = self._ui.framesLabel, self._ui.framesButton
        label.visible = button.visible = frames > 1
        if frames > 1:
            text = _("{file} holds {count} frames; this volume is the first of them.")
            label.text = text.format(file=self._path.name, count=frames)
            button.text = _("Load all {count} frames").format(count=frames)
            button.enabled = True
        if frames == 1 and volume is not None and volume.GetImageData() is not None:
            self._offer.look(volume)
        else:
            self._offer.stop()

    def close(self) -> None:
        """The panel goes: nothing is read for it any more."""
        self._offer.stop()
        self._offer.found.disconnect()
        self._reading.close()

    def _on_found(self, _volume, stack: WholeStack) -> None:
        self._stack = stack
        label, button = self._ui.framesLabel, self._ui.framesButton
        label.visible = button.visible = True
        text = _("This volume is a part of {slices} slices × {frames} frames in {series} series.")
        label.text = text.format(
            slices=stack.n_slices, frames=stack.n_frames, series=stack.n_series
        )
        self._show_button()

    def _show_button(self) -> None:
        button, busy = self._ui.framesButton, self._reading.busy
        button.enabled = not busy
        button.text = _("Loading the whole stack …") if busy else _("Load the whole stack")

    def _on_button(self, *_args) -> None:
        if self._stack is not None:
            self._reading.start(self._stack.files)
            self._show_button()
            return
        try:
            sequence, browser = cine_reader.load(self._path)
        except VolumeError as error:
            self._say(str(error))
            return
        self._loaded(browser.GetProxyNode(sequence))

    def _on_read(self, node) -> None:
        self._show_button()
        self._loaded(node)

    def _on_failed(self, sentence: str) -> None:
        self._show_button()
        self._say(sentence)


def _file_of(volume) -> Path | None:
    """The file that a volume was opened from, which nothing plays; None where there is none."""
    if volume is None or sequence_of(volume) is not None:
        return None
    source = source_of(volume)
    path = Path(source) if source else None
    return path if path is not None and path.is_file() else None


@lru_cache(maxsize=32)
def _frames(path: Path, _changed: int) -> int:
    """The panel looks often; the file is read again when it has changed."""
    return cine_reader.frame_count(path)
