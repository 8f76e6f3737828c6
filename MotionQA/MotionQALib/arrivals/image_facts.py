"""What must be known of one DICOM image to tell when its series is complete."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..privacy import identifying_words, without

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class FrameFacts:
    """One picture: where and when it was taken.

    Attributes
    ----------
    instance, sop_class : UIDs of the object that holds it
    frame_number : from 1 in a multi-frame object, else None
    place : mm, of the first pixel in the patient; None where not given
    directions : along a row, then along a column, as two unit vectors; None where not given
    time : ms after the R wave; 0 where not given
    """

    instance: str
    sop_class: str
    frame_number: int | None
    place: Vector | None
    directions: tuple[float, ...] | None
    time: float


@dataclass(frozen=True)
class ImageFacts:
    """One DICOM object of a series, without its pixels.

    Attributes
    ----------
    series, study, instance, sop_class : UIDs
    number : the series' number, if it has one
    instance_number : the object's own number in the series, 0 where not given
    description : of the series, without what tells whose it is
    kinds : the values of ImageType, in capitals
    phases : images of a slice that the scanner promises (CardiacNumberOfImages), 0 if none
    frames : its pictures
    path : where it is stored; None if that is not known
    size : bytes of its pixels when they are unpacked
    stamp : of its file's content, where somebody looks for changes; None if not
    revision : rises each time that the object came with another picture
    """

    series: str
    study: str
    instance: str
    sop_class: str
    number: int | None
    instance_number: int
    description: str
    kinds: tuple[str, ...]
    phases: int
    frames: tuple[FrameFacts, ...]
    path: Path | None = None
    size: int = 0
    stamp: tuple[int, int] | None = None
    revision: int = 0

    @classmethod
    def of(cls, dataset: Any, path: Path | None = None, identify: bool = False) -> ImageFacts:
        """Take them from a pydicom data set, with or without pixels.

        ``identify`` leaves in the description whose it is, and adds it.

        Raises ValueError, a sentence, for an object that is no image of any series.
        """
        series, instance = (
            _text(dataset, keyword) for keyword in ("SeriesInstanceUID", "SOPInstanceUID")
        )
        if not series or not instance:
            raise ValueError("The object has no SeriesInstanceUID or no SOPInstanceUID.")
        if not dataset.get("Rows") or not dataset.get("Columns"):
            raise ValueError("The object holds no image.")
        return cls(
            series=series,
            study=_text(dataset, "StudyInstanceUID"),
            instance=instance,
            sop_class=_text(dataset, "SOPClassUID"),
            number=_whole(dataset.get("SeriesNumber"), None),
            instance_number=_whole(dataset.get("InstanceNumber"), 0),
            description=described(dataset, identify),
            kinds=tuple(str(kind).upper() for kind in _several(dataset.get("ImageType"))),
            phases=_whole(dataset.get("CardiacNumberOfImages"), 0),
            frames=tuple(_frames(dataset, instance)),
            path=path,
            size=_size(dataset),
        )

    @classmethod
    def of_file(cls, path: Path, identify: bool = False) -> ImageFacts:
        """Read them from a file's header. Raises ValueError, a sentence, OSError."""
        from pydicom import dcmread

        try:
            dataset = dcmread(path, stop_before_pixels=True, force=True)
            return cls.of(dataset, path, identify)
        except OSError:
            raise
        except ValueError:
            raise
        except Exception as error:  # parsers raise anything on bytes they did not expect
            raise ValueError("The object is damaged.") from error


def described(dataset: Any, identify: bool = False) -> str:
    """The series' description without words that also stand in what identifies the patient.

    Some scanners' users type a name there. ``identify`` leaves all, and puts the patient's name
    and number in front.
    """
    text = _text(dataset, "SeriesDescription") or _text(dataset, "ProtocolName")
    if identify:
        kept = " ".join([_text(dataset, "PatientName"), _text(dataset, "PatientID"), text])
    else:
        kept = without(text, identifying_words(dataset))
    return "".join(c if c.isprintable() else " " for c in kept).strip()[: 192 if identify else 64]


def _size(dataset: Any) -> int:
    names = ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames")
    pixels = math.prod(max(1, _whole(dataset.get(name), 1)) for name in names)
    return pixels * max(8, _whole(dataset.get("BitsAllocated"), 16)) // 8


def _frames(dataset: Any, instance: str) -> Iterator[FrameFacts]:
    sop_class = _text(dataset, "SOPClassUID")
    count = max(1, _whole(dataset.get("NumberOfFrames"), 1))
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence") or []), None)
    several = dataset.get("NumberOfFrames") is not None
    for index in range(min(count, 100_000)):
        own = groups[index] if index < len(groups) else None
        sources = [source for source in (own, shared, dataset) if source is not None]
        place = _numbers(_fact(sources, "ImagePositionPatient", "PlanePositionSequence"), 3)
        directions = _numbers(
            _fact(sources, "ImageOrientationPatient", "PlaneOrientationSequence"), 6
        )
        time = _fact(sources, "NominalCardiacTriggerDelayTime", "CardiacSynchronizationSequence")
        if time is None:
            time = _fact(sources, "TriggerTime")
        yield FrameFacts(
            instance,
            sop_class,
            index + 1 if several else None,
            place,
            directions,
            _real(time) or 0.0,
        )


def _fact(sources: list, keyword: str, group: str | None = None) -> Any:
    for source in sources:
        for held in (source, next(iter((group and source.get(group)) or []), None)):
            value = None if held is None else held.get(keyword)
            if value is not None and value != "":
                return value
    return None


def _text(dataset: Any, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def _several(value: Any) -> list:
    if value is None or value == "":
        return []
    many = not isinstance(value, str | bytes) and hasattr(value, "__iter__")
    return list(value) if many and type(value).__name__ != "PersonName" else [value]


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    numbers = [_real(part) for part in _several(value)]
    return tuple(numbers) if len(numbers) == count and None not in numbers else None


def _real(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any, default: int | None) -> int | None:
    number = _real(value)
    return default if number is None else int(number)
