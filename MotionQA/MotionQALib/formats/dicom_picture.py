"""One image of a DICOM file: where and when it was taken, what it shows, and its scaling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .dicom_header import PHILIPS_PHASE, StoredFile, numbers, seconds_of, words
from .dicom_kinds import is_called_localiser, is_mosaic, kind_of

TIMES = ("trigger", "temporal", "percent", "reference", "acquired", "content")
"""What may tell when in the heartbeat an image was taken, the surest first."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of one file.

    Parameters
    ----------
    index : among the file's images
    kind : what it is that no grade describes; None for an ordinary image
    place : (3,) mm, of its first pixel; None where unknown
    directions : (6,): along a row, then along a column; None where unknown
    times : by the names in `TIMES`; NaN where not given
    pixel : mm between rows, between columns; NaN where not given
    gap, location : mm between slices and along them, as far as one image knows
    acquisition : time, number of the series, of the acquisition and of the image, by which a later
        acquisition is known
    variant : what else tells images of one place and moment apart, such as the echo time
    """

    file: StoredFile
    index: int
    n_frames: int
    kind: str | None
    mosaic: bool
    instance: float
    place: np.ndarray | None
    directions: np.ndarray | None
    times: dict[str, float]
    pixel: tuple[float, float]
    gap: float
    location: float
    slope: float
    intercept: float
    variant: dict[str, Any]
    series: str
    acquisition: tuple[float, ...]
    sop: tuple[str, str]

    @property
    def path(self):
        return self.file.path

    @property
    def size(self) -> tuple[int, int]:
        return int(self.file.number("Rows")), int(self.file.number("Columns"))


def pictures_of(file: StoredFile) -> list[Picture]:
    """The images of a file, in its order; gathered once."""
    if not file.pictures:
        count = max(1, int(file.number("NumberOfFrames", 1)))
        shared = (file.value("SharedFunctionalGroupsSequence") or [None])[0]
        groups = file.value("PerFrameFunctionalGroupsSequence") or []
        common = _common(file)
        limit = 1 + file.size * 1040 // max(1, int(file.number("Rows") * file.number("Columns")))
        for index in range(min(count, limit)):  # a header may promise millions
            own = groups[index] if index < len(groups) else None
            sources = [source for source in (own, shared, file.header) if source is not None]
            file.pictures.append(_picture(file, index, count, sources, common))
    return file.pictures


def _common(file: StoredFile) -> dict[str, Any]:
    """What is the same for all images of a file."""
    day = file.text("AcquisitionDate")
    acquired = seconds_of(file.text("AcquisitionDateTime") or day + file.text("AcquisitionTime"))
    series = file.text("SeriesInstanceUID")
    if not series:  # an anonymiser emptied it
        series = f"none {file.text('SeriesNumber')} {file.text('SeriesDescription')}"
    return {
        "series": series,
        "acquired": acquired,
        "content": seconds_of(file.text("ContentDate") + file.text("ContentTime")),
        "sop": (file.text("SOPClassUID"), file.text("SOPInstanceUID")),
        "number": file.number("SeriesNumber", 0.0),
        "step": file.number("FrameTime"),
    }


def _picture(file: StoredFile, index: int, count: int, sources: list, common: dict) -> Picture:
    """Gather an image's facts from its own, the shared and the file's groups, in that order."""

    def fact(keyword: str | int, *groups: str) -> Any:
        if len(sources) == 1:  # a classic file: no groups to look into
            return file.value(keyword)
        for source in sources:
            for group in (None, *groups):
                held = source if group is None else _first(source, group)
                value = None if held is None else file.value(keyword, of=held)
                if value is not None:
                    return value
        return None

    def number(default: float, keyword: str | int, *groups: str) -> float:
        found = numbers(fact(keyword, *groups))
        return found[0] if found else default

    nothing = math.nan
    frame_type = words(fact("FrameType", "MRImageFrameTypeSequence") or fact("ImageType"))
    component = words(fact("ComplexImageComponent", "MRImageFrameTypeSequence"))
    heart, content = "CardiacSynchronizationSequence", "FrameContentSequence"
    trigger = number(nothing, "NominalCardiacTriggerDelayTime", heart)
    if math.isnan(trigger):
        trigger = number(nothing, "TriggerTime")
    if count > 1 and len(sources) < 3 and common["step"] > 0:
        trigger = index * common["step"]  # a classic multi-frame file of one slice
    temporal = number(nothing, "TemporalPositionIndex", content)
    if math.isnan(temporal):
        temporal = number(number(nothing, PHILIPS_PHASE), "TemporalPositionIdentifier")
    acquired = fact("FrameAcquisitionDateTime", content)
    pixel = numbers(fact("PixelSpacing", "PixelMeasuresSequence"))
    pixel = pixel or numbers(fact("ImagerPixelSpacing"))
    thickness = number(1.0, "SliceThickness", "PixelMeasuresSequence")
    transform = "PixelValueTransformationSequence"
    acquisition = number(0.0, "AcquisitionNumber")
    taken = seconds_of(str(acquired)) if acquired else common["acquired"]
    return Picture(
        file=file,
        index=index,
        n_frames=count,
        kind=kind_of(file, frame_type, component[0] if component else ""),
        mosaic=is_mosaic(file, frame_type),
        instance=number(nothing, "InstanceNumber"),
        place=_vector(fact("ImagePositionPatient", "PlanePositionSequence"), 3),
        directions=_vector(fact("ImageOrientationPatient", "PlaneOrientationSequence"), 6),
        times={
            "trigger": trigger,
            "temporal": temporal,
            "percent": number(nothing, "NominalPercentageOfCardiacPhase", heart),
            "reference": number(nothing, "FrameReferenceTime", content),
            "acquired": taken,
            "content": common["content"],
        },
        pixel=(pixel[0], pixel[1]) if len(pixel) == 2 and min(pixel) > 0 else (nothing, nothing),
        gap=number(thickness, "SpacingBetweenSlices", "PixelMeasuresSequence"),
        location=number(nothing, "SliceLocation"),
        slope=number(1.0, "RescaleSlope", transform) or 1.0,
        intercept=number(0.0, "RescaleIntercept", transform),
        variant={
            "echo": round(_finite(number(0.0, "EffectiveEchoTime", "MREchoSequence")), 2)
            or round(_finite(number(0.0, "EchoTime")), 2),
            "echo number": number(0.0, "EchoNumbers"),
            "b-value": number(0.0, "DiffusionBValue", "MRDiffusionSequence"),
            "inversion time": round(_finite(number(0.0, "InversionTime")), 1),
            "contrast": str(fact("ContrastBolusAgent") or ""),
            "kind of image": "/".join(frame_type),
        },
        series=common["series"],
        acquisition=(
            0.0 if math.isnan(taken) else taken,
            common["number"],
            acquisition,
            number(0.0, "InstanceNumber"),
        ),
        sop=common["sop"],
    )


def _first(source: Any, group: str) -> Any:
    try:
        held = source.get(group)
        return held[0] if held else None
    except Exception:  # a sequence that is none
        return None


def _vector(value: Any, length: int) -> np.ndarray | None:
    found = numbers(value)
    if len(found) != length or not all(map(math.isfinite, found)):
        return None
    return np.array(found)


def called_localiser(picture: Picture) -> bool:
    return is_called_localiser(picture.file)


def _finite(number: float) -> float:
    """0 for what a header gives as NaN or infinite: it tells no image from another."""
    return number if math.isfinite(number) else 0.0
