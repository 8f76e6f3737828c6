"""The report of a DICOM volume: what its images are, as `volumes.read` found them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..results import Assessment
from .motion_report import ImageReference, ReportError, write_report

if TYPE_CHECKING:
    from ..checkpoints import Card
    from ..formats.dicom_origin import Instance, Origin


def write_series_report(
    path: str | Path,
    origin: Origin | None,
    assessment: Assessment,
    card: Card,
    image: str | Path | None = None,
) -> None:
    """Write the report of a DICOM volume.

    Parameters
    ----------
    path : the report's file
    origin : `Volume.origin`
    assessment : of that volume
    image : a file of the series, where the origin's own are there no more

    Raises
    ------
    ReportError : it is no DICOM series, or its images have no UIDs
    OSError
    """
    from pydicom import dcmread

    if origin is None:
        raise ReportError(f"{assessment.volume} is no DICOM series, so there is no report of it.")
    references = [[_reference(one) for one in frames] for frames in origin.instances.T]
    header = dcmread(image or origin.files[0], stop_before_pixels=True, force=True)
    write_report(path, header, references, assessment, card)


def _reference(instance: Instance | None) -> ImageReference | None:
    if instance is None:
        return None
    number = instance.frame + 1 if instance.n_frames > 1 else None
    return ImageReference(instance.sop_class_uid, instance.sop_instance_uid, number)
