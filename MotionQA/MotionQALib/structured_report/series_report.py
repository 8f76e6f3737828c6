"""The report of a series that is given by its files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..arrivals.arriving_series import ArrivingSeries
from ..arrivals.image_facts import ImageFacts
from ..results import Assessment
from .report import ImageReference, ReportError, write_report

if TYPE_CHECKING:
    from ..checkpoints import Card


def write_series_report(
    path: str | Path, files: Iterable[str | Path], assessment: Assessment, card: Card
) -> None:
    """Write the report of a DICOM series.

    Parameters
    ----------
    path : the report's file
    files : of the series; others among them are passed over
    assessment : of the volume that they make

    Raises
    ------
    ReportError : they are no DICOM series, or not the one that was graded
    OSError
    """
    from pydicom import dcmread

    series = _series(files, assessment)
    if series is None:
        raise ReportError(f"{assessment.volume} is no DICOM series, so there is no report of it.")
    references = [
        [ImageReference(frame.sop_class, frame.instance, frame.frame_number) for frame in frames]
        for frames in series.stack()
    ]
    header = dcmread(series.paths[0], stop_before_pixels=True, force=True)
    write_report(path, header, references, assessment, card)


def _series(files: Iterable[str | Path], assessment: Assessment) -> ArrivingSeries | None:
    found: dict[str, ArrivingSeries] = {}
    for file in map(Path, files):
        try:
            image = ImageFacts.of_file(file)
        except ValueError:
            continue
        found.setdefault(image.series, ArrivingSeries(image.series)).add(image)
    wanted = (assessment.identity or "").removeprefix("dicom:")
    if wanted in found:
        return found[wanted]
    return next(iter(found.values())) if len(found) == 1 else None
