"""Reading and grading one arrived series."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..privacy import identifying_words, without
from ..slice_pictures import draw
from .arrival_results import Graded
from .arriving_series import ArrivingSeries
from .slow_calls import SlowCalls

if TYPE_CHECKING:
    from ..assessment import Assessor
    from ..results import Assessment
    from ..volumes import Volume

MOST_PICTURES = 6

READING = 30.0
"""Seconds that a series is waited for; then others are graded until it has been read."""


class SeriesGrader:
    """Grades with one Assessor.

    Parameters
    ----------
    reports : write DICOM reports, too
    identify : leave names in what is said when a series cannot be read
    """

    def __init__(
        self, assessor: Assessor, *, reports: bool = False, identify: bool = False
    ) -> None:
        self._assessor, self._reports, self._identify = assessor, reports, identify
        self._calls = SlowCalls(READING)

    def __call__(self, series: ArrivingSeries) -> Graded:
        """Raises ValueError or RuntimeError with a sentence; StillWaiting: ask again."""
        volume = self._calls.get(series.uid, partial(self._read, series), series.content)
        try:
            assessment = self._assessor.assess(volume)
        except (ValueError, RuntimeError) as error:
            told = partial(self._told, str(error), series)
            sentence = self._calls.get(("why", series.uid), told, series.content)
            raise ValueError(sentence) from error
        pictures = _worst(volume, assessment)
        write = self._writer(series, volume.origin, assessment) if self._reports else None
        return Graded(assessment, pictures, write)

    def report_again(
        self, series: ArrivingSeries, assessment: Assessment
    ) -> Callable[[Path], None] | None:
        """What writes the report of a series graded before a restart; None if none is wanted."""
        if not self._reports:
            return None

        def write(path: Path) -> None:
            volume = self._calls.get(series.uid, partial(self._read, series), series.content)
            self._writer(series, volume.origin, assessment)(path)

        return write

    def _read(self, series: ArrivingSeries) -> Volume:
        try:
            return read_series(series)
        except (ValueError, RuntimeError) as error:
            raise ValueError(self._told(str(error), series)) from error

    def _writer(self, series: ArrivingSeries, origin, assessment) -> Callable[[Path], None]:
        # Of the origin alone: the voxels must not wait in memory for the report.
        def write(path: Path) -> None:
            from ..structured_report.report_process import card_of
            from ..structured_report.series_report import write_series_report

            card = self._assessor.card
            if assessment.checkpoint != card.name:  # another one graded before the restart
                card = card_of(assessment)

            def report() -> None:  # which reads the header of the first file again
                try:
                    write_series_report(path, origin, assessment, card, series.paths[0])
                except (ValueError, RuntimeError) as error:
                    raise ValueError(self._told(str(error), series)) from error

            self._calls.get(("report", series.uid), report, series.content)

        return write

    def _told(self, sentence: str, series: ArrivingSeries) -> str:
        """The sentence without names: files are often named after patients."""
        if self._identify:
            return sentence
        from pydicom import dcmread

        for path in series.paths:
            sentence = sentence.replace(str(path.parent), "…").replace(path.name, "an image")
        for part in {path.parent.name for path in series.paths}:
            sentence = sentence.replace(part, "It") if len(part) > 2 else sentence
        try:
            header = dcmread(series.paths[0], stop_before_pixels=True, force=True)
            return without(sentence, identifying_words(header))
        except Exception:
            return "Its files cannot be read; send the series again."


def read_series(series: ArrivingSeries) -> Volume:
    """The volume of a series' files. Raises VolumeError."""
    from ..series_files import read_series as read_files

    return read_files(series.paths)


def _worst(volume: Volume, assessment: Assessment) -> dict[int, bytes]:
    """Pictures of the worst slices, each in its worst frame."""
    frames = assessment.worst_frames
    chosen = assessment.slices_from_worst[:MOST_PICTURES]
    positions = [int(frames[index]) * assessment.n_slices + index for index in chosen]
    return {picture.slice: picture.image for picture in draw(volume, positions)}
