"""What a DICOM image shows: anatomy to be graded, or a phase, a map, a screen, a localiser."""

from __future__ import annotations

import re

from .dicom_header import GE_IMAGE_TYPE, MOSAIC_COUNT, PHILIPS_IMAGE_TYPE, StoredFile, words

PHASE = "phase images"
REAL = "real parts"
IMAGINARY = "imaginary parts"
MAP = "derived maps"
SCREEN = "secondary captures (screenshots)"
LOCALISER = "localisers"
COLOUR = "colour images (RGB)"
SEGMENTATION = "segmentations"
DOSE = "dose maps"

_NO_IMAGES = {"SEG": SEGMENTATION, "RTDOSE": DOSE, "REG": MAP, "PMAP": MAP, "PM": MAP}
_COMPONENTS = {"PHASE": PHASE, "REAL": REAL, "IMAGINARY": IMAGINARY, "VELOCITY": PHASE}
_GE_COMPONENTS = {1: PHASE, 2: REAL, 3: IMAGINARY}
_PHASE_WORDS = {
    *("P", "PHASE", "PHASE MAP", "PHASE_MAP", "VELOCITY MAP", "VELOCITY", "PCA", "PC PHASE"),
    *("PHASE CONTRAST", "FLOW ENCODED", "VELOCITY_MAP", "PHASE DIFFERENCE", "PCMR PHASE"),
}
_REAL_WORDS = {"R", "REAL"}
_IMAGINARY_WORDS = {"I", "IMAGINARY", "IMAG"}
_MAP_WORDS = {
    *("ADC", "FA", "TRACEW", "TENSOR", "TENSOR_B0", "EADC", "T2*", "T2_STAR", "R2*", "R2_STAR"),
    *("ECV", "TTP", "PEI", "RELCBF", "RELCBV", "RELMTT", "MTT", "CBF", "CBV"),
    *("STDDEV", "STD_DEV", "MEAN", "SUBTRACTION", "SUB", "SUBTRACT", "CORRELATION", "QUANTITATIVE"),
    *("MPR", "MIP", "MIP_SUM", "MINIP", "PROJECTION IMAGE", "PROJECTION", "REFORMATTED", "VRT"),
    *("SSD", "CSA MPR", "CSA 3D EDITOR", "CSAPARALLEL", "FATFRACTION", "FF", "WATER_FAT_RATIO"),
    *("ENDO", "GOODNESSOFFIT", "ERRORMAP", "SEGMENTATION"),
}
_MAP_WORDS_OF_DERIVED = {"T1", "T2", "R1", "R2", "PERFUSION", "VOLUME"}
"""Of an original image these are the weighting, or what it was taken for."""
_SCREEN_WORDS = {
    *("SCREEN SAVE", "SCREENSHOT", "CSA REPORT", "CSA RESULT", "RESULTS", "CSA BLACK IMAGE"),
    *("PRESENTATION", "PASTED", "CAPTURED"),
}
_PHASE_UNITS = {
    *("RAD", "RADIANS", "MRAD", "MILLIRADIANS", "MILLIRADIALS", "CM/S", "MM/S", "M/S", "CM_S"),
    *("VELOCITY", "PHASE", "DEG", "DEGREES"),
}
_MAP_UNITS = {"MS", "SEC", "1/S", "PERCENT", "%", "MM2/S", "10^-6 MM2/S"}
_LOCALISER_WORDS = re.compile(
    r"locali[sz]er|\bscout|\bsurvey\b|three.?plane|3.?plane|\bloc\b|^loc[_ ]|^loc$", re.IGNORECASE
)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def kind_of(file: StoredFile, frame_type: tuple[str, ...], component: str) -> str | None:
    """What an image is, in the plural; None for one that can be graded.

    Parameters
    ----------
    frame_type : the image's own ImageType or FrameType, in upper case
    component : the image's ComplexImageComponent, in upper case
    """
    modality = file.text("Modality").upper()
    if modality in _NO_IMAGES:
        return _NO_IMAGES[modality]
    photometric = file.text("PhotometricInterpretation").upper()
    if file.number("SamplesPerPixel", 1) > 1 or "PALETTE" in photometric:
        # A report or a screenshot is told by its class, a coloured map by its colours.
        return SCREEN if _is_capture(file) else COLOUR
    if _is_capture(file) or _SCREEN_WORDS & {*frame_type}:
        return SCREEN
    if "LOCALIZER" in frame_type or "LOCALISER" in frame_type:
        return LOCALISER
    return _part(file, frame_type, component) or _map(file, frame_type)


def _part(file: StoredFile, frame_type: tuple[str, ...], component: str) -> str | None:
    """Phase, real or imaginary part, by whatever the maker tells it by."""
    if component == "MAGNITUDE" or component in _COMPONENTS:
        return _COMPONENTS.get(component)
    ge = file.number(GE_IMAGE_TYPE, -1)
    if ge in _GE_COMPONENTS and "GE" in file.text("Manufacturer").upper():
        return _GE_COMPONENTS[int(ge)]
    said = {*frame_type[2:], *words(file.value(PHILIPS_IMAGE_TYPE))}
    if said & _PHASE_WORDS or any(word.startswith(("PHASE ", "VELOCITY")) for word in said):
        return PHASE
    if said & {"M", "MAGNITUDE", "M_FFE", "FFE", "M_SE", "M_IR"}:
        return None
    if said & _REAL_WORDS:
        return REAL
    if said & _IMAGINARY_WORDS:
        return IMAGINARY
    if file.text("RescaleType").upper() in _PHASE_UNITS:
        return PHASE
    return None


def _map(file: StoredFile, frame_type: tuple[str, ...]) -> str | None:
    said = {*frame_type[2:]}
    if said & _MAP_WORDS or any(re.search(r"[ _]MAP\b|^MAP$", word) for word in said):
        return MAP
    if "DERIVED" in frame_type[:1] and (
        said & _MAP_WORDS_OF_DERIVED or file.text("RescaleType").upper() in _MAP_UNITS
    ):
        return MAP
    return None


def _is_capture(file: StoredFile) -> bool:
    """A secondary capture that lies nowhere in the patient: a screenshot, a scanned page."""
    if not file.text("SOPClassUID").startswith(_SECONDARY_CAPTURE):
        return False
    placed = file.value("ImagePositionPatient") or file.value("PerFrameFunctionalGroupsSequence")
    return placed is None or file.text("BurnedInAnnotation").upper() == "YES"


def is_mosaic(file: StoredFile, frame_type: tuple[str, ...]) -> bool:
    """Siemens' tiles: all slices of one moment in one image."""
    return "MOSAIC" in frame_type or "VFRAME" in frame_type or file.number(MOSAIC_COUNT, 0) > 1


def is_called_localiser(file: StoredFile) -> bool:
    """Whether somebody named it so; a cine that was misnamed can still be graded."""
    described = (file.text("SeriesDescription"), file.text("ProtocolName"))
    return any(_LOCALISER_WORDS.search(text) for text in described)
