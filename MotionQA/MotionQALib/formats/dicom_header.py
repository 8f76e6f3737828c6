"""Headers of DICOM files, as few tags as sorting needs, however carelessly they were written."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from .file_kinds import is_dicom, is_named_dicom
from .volume_error import VolumeError, cut_short, in_plain_words, refusal

MOSAIC_COUNT = 0x0019100A
CSA_IMAGE = 0x00291010
GE_IMAGE_TYPE = 0x0043102F
PHILIPS_IMAGE_TYPE = 0x20051011
PHILIPS_PHASE = 0x20011008

_KEYWORDS = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"),
    *("FrameOfReferenceUID", "Modality", "Manufacturer", "PatientID", "SeriesDescription"),
    *("ProtocolName", "SeriesNumber", "SeriesTime", "InstanceNumber", "AcquisitionNumber"),
    *("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime"),
    *("ContentDate", "ContentTime"),
    *("ImageType", "ComplexImageComponent", "SequenceName", "PulseSequenceName"),
    *("ScanningSequence", "EchoTime", "EchoNumbers", "EffectiveEchoTime", "InversionTime"),
    *("DiffusionBValue", "ContrastBolusAgent", "TriggerTime", "TemporalPositionIdentifier"),
    *("TemporalPositionIndex", "NominalPercentageOfCardiacPhase", "FrameReferenceTime"),
    *("NominalCardiacTriggerDelayTime", "CardiacNumberOfImages", "AcquisitionMatrix"),
    *("ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "SliceThickness"),
    *("SpacingBetweenSlices", "PixelSpacing", "ImagerPixelSpacing", "Rows", "Columns"),
    *("NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated"),
    *("BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept"),
    *("RescaleType", "BurnedInAnnotation", "FrameTime", "FrameTimeVector", "ConversionType"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)
_PRIVATE = (MOSAIC_COUNT, CSA_IMAGE, GE_IMAGE_TYPE, PHILIPS_IMAGE_TYPE, PHILIPS_PHASE)

_KEPT = 30_000
"""Headers that are remembered, so that finding files and reading them opens each once."""


@dataclass
class StoredFile:
    """A DICOM image file: its header, and where in it the pixels begin.

    Parameters
    ----------
    offset : of the pixel data's element, in bytes; None where only a decoder finds it
    size : of the file, in bytes
    """

    path: Path
    header: Any
    offset: int | None
    size: int
    pictures: list = field(default_factory=list)

    @cached_property
    def elements(self) -> dict[int, Any]:
        """The header's elements by their tags' numbers, most of them not yet understood."""
        return {int(tag): element for tag, element in self.header.items()}

    @property
    def syntax(self):
        """The transfer syntax's UID; None where the file does not say."""
        meta = getattr(self.header, "file_meta", None)
        return None if meta is None else meta.get("TransferSyntaxUID")

    def value(self, tag: str | int, *, of: Any = None) -> Any:
        """A value as it is written; None where it is not there, empty, or not to be understood."""
        if of is None or of is self.header:
            element = self.elements.get(_number_of(tag))
            if element is None:
                return None
            plain = _plain(element)
            if plain is not None:
                return plain or None
        dataset = self.header if of is None else of
        try:
            value = dataset[tag].value if tag in dataset else None
        except Exception:  # a number that is none: its text may tell nevertheless
            raw = dataset.get_item(tag).value
            value = raw.decode("latin-1").strip("\0 ") if isinstance(raw, bytes) else None
        return None if value is None or value == "" else value

    def text(self, tag: str | int) -> str:
        value = self.value(tag)
        if isinstance(value, bytes):
            value = value.decode("latin-1").strip("\0 ")
        return "" if value is None else str(value).strip()

    def number(self, tag: str | int, default: float = math.nan) -> float:
        found = numbers(self.value(tag))
        return found[0] if found else default

    def words(self, tag: str | int) -> tuple[str, ...]:
        return words(self.value(tag))


@lru_cache(maxsize=1)
def _tags() -> list:
    """Of all that is looked at; pydicom would look each word up anew for each file."""
    from pydicom.tag import Tag

    return [Tag(tag) for tag in (*_KEYWORDS, *_PRIVATE)]


@lru_cache(maxsize=512)
def _number_of(tag: str | int) -> int:
    from pydicom.datadict import tag_for_keyword

    return tag if isinstance(tag, int) else tag_for_keyword(tag) or 0


_BINARY = frozenset({"SQ", "OB", "OW", "UN", "FD", "FL", "SS", "SL", "UL", "AT", "OF", "OD"})


def _plain(element: Any) -> str | int | None:
    """An element's text or number without pydicom's many checks; None leaves it to them."""
    raw, vr = element.value, element.VR
    if not isinstance(raw, bytes):
        return None
    if vr is None:  # an implicit transfer syntax
        vr = _vr_of(int(element.tag))
    if vr == "US" and len(raw) == 2:
        return int.from_bytes(raw, "little" if element.is_little_endian else "big") or None
    if vr in _BINARY or vr == "US" or not raw.isascii():
        return None
    return raw.decode("ascii").strip("\0 ")


@lru_cache(maxsize=512)
def _vr_of(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag)
    except KeyError:  # private
        return "UN"


def numbers(value: Any) -> list[float]:
    """A value's numbers, also where they are text, parted by backslashes, with decimal commas."""
    if value is None:
        return []
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, int | float):
        return [float(value)]
    parts = value.split("\\") if isinstance(value, str) else value
    found = []
    for part in parts if hasattr(parts, "__iter__") else [parts]:
        try:
            found.append(float(str(part).strip("\0 ").replace(",", ".")))
        except ValueError:
            return []
    return found


def words(value: Any) -> tuple[str, ...]:
    """A value's texts in upper case."""
    if value is None:
        return ()
    parts = value.split("\\") if isinstance(value, str) else value
    if isinstance(parts, bytes):
        parts = parts.decode("latin-1").split("\\")
    if not hasattr(parts, "__iter__"):
        parts = [parts]
    return tuple(str(part).strip().upper() for part in parts)


def seconds_of(text: str) -> float:
    """Of DICOM's HHMMSS.FFFFFF or a date and time; NaN where it is none."""
    match = re.fullmatch(r"(\d{8})?(\d\d):?(\d\d):?(\d\d)?([.,]\d+)?([+-]\d{4})?", text.strip())
    if match is None:
        return math.nan
    day, hours, minutes, seconds, part, _zone = match.groups()
    fraction = float((part or ".0").replace(",", "."))
    days = int(day or 0) % 10_000  # month and day: enough to tell which came later
    return days * 86_400.0 + int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0) + fraction


_known: OrderedDict[Path, tuple[tuple[int, int], StoredFile | str | None]] = OrderedDict()


def header_of(file: Path) -> StoredFile | None:
    """The header of an image file; None for a file that holds no image.

    Raises
    ------
    VolumeError : it ought to be an image, and is damaged: without it the slices behind it would
        count wrongly, so it must not go unnoticed
    """
    try:
        status = file.stat()
        state = (status.st_mtime_ns, status.st_size)
    except OSError:
        state = (0, 0)
    known = _known.get(file)
    if known is None or known[0] != state:
        try:
            found: StoredFile | str | None = _read(file)
        except VolumeError as error:
            found = str(error)
        known = _known[file] = (state, found)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    if isinstance(known[1], str):
        raise VolumeError(known[1])
    return known[1]


def forget() -> None:
    """Read each header anew, for whoever measures that."""
    _known.clear()


def _read(file: Path) -> StoredFile | None:
    from pydicom import dcmread

    if not is_dicom(file):
        if is_named_dicom(file) and not file.is_dir():
            raise refusal(file, "is not a DICOM image, whatever its name says; copy it again.")
        return None
    with in_plain_words(file), file.open("rb") as stream:
        try:
            header = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=_tags())
        except OSError:
            raise
        except Exception as error:
            raise damaged(file) from error
        stored = StoredFile(file, header, stream.tell(), file.stat().st_size)
    if stored.number("Rows", 0) > 0 and stored.number("Columns", 0) > 0:
        if not math.isfinite(stored.number("NumberOfFrames", 1)):
            raise damaged(file)
        syntax = stored.syntax
        if syntax is not None and (syntax.is_deflated or syntax.is_compressed):
            stored.offset = None
        else:
            _check_length(stored)
        return stored
    kind = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    if kind is None or getattr(kind, "name", "").endswith("Image Storage"):
        raise damaged(file)
    return None  # a report, raw data, a directory of files


def _check_length(stored: StoredFile) -> None:
    """A copy that broke off is known by its size, before others of its series are decoded."""
    frames = max(1, int(stored.number("NumberOfFrames", 1)))
    pixels = int(stored.number("Rows") * stored.number("Columns")) * frames
    wanted = pixels * int(stored.number("BitsAllocated", 8)) // 8
    if wanted > stored.size - (stored.offset or 0):
        raise cut_short(stored.path, wanted, max(0, stored.size - (stored.offset or 0)))


def damaged(file: Path) -> VolumeError:
    return refusal(file, "is a damaged DICOM file; copy or export it again.")
