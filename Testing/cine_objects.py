"""DICOM objects of a cine, as a scanner sends them: whole headers, and images drawn here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

ROW, COLUMN = (0.695, 0.71901, 0.0), (-0.342753, 0.331307, -0.879066)
"""Directions of a short-axis slice in the patient."""

NORMAL = np.cross(ROW, COLUMN)

IDENTIFIERS = {
    "PatientName": "Quellenhofer^Amadea",
    "PatientID": "PID-4471983",
    "PatientBirthDate": "19570309",
    "AccessionNumber": "ACC-8812207",
    "InstitutionName": "Zollikerberg Infirmary",
    "ReferringPhysicianName": "Vanterpool^Ottoline",
    "OperatorsName": "Brankovic^Zdenko",
    "OtherPatientIDs": "NHS-5550142",
    "PatientAddress": "7 Kirschgarten",
}
"""All that must not be found in what is written; none of it is anybody's."""


def image(
    number: int,
    pixels: np.ndarray,
    *,
    place: float,
    time: float,
    study: str,
    series: str,
    series_number: int = 5,
    description: str = "cine_sax",
    phases: int | None = None,
    **facts: object,
) -> Dataset:
    """One MR image; ``place`` in mm along the normal, ``time`` in ms after the R wave."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
    data.file_meta.ImplementationClassUID = "1.2.826.0.1.3680043.8.498.2"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid(
        entropy_srcs=[series, str(number)]
    )
    for keyword, value in IDENTIFIERS.items():
        setattr(data, keyword, value)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.PatientSex = "F"
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.FrameOfReferenceUID = generate_uid(entropy_srcs=[study, "frame"])
    data.PositionReferenceIndicator = ""
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", series_number, number
    data.StudyDate = data.SeriesDate = data.ContentDate = data.AcquisitionDate = "20240102"
    data.StudyTime = data.SeriesTime = data.ContentTime = "101500"
    data.AcquisitionTime = "101500"
    data.AcquisitionNumber = 1
    data.Modality, data.Manufacturer = "MR", "Phantom"
    data.ManufacturerModelName, data.DeviceSerialNumber = "P1", "1"
    data.SoftwareVersions = "1"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data.SeriesDescription, data.ProtocolName = description, description
    data.BodyPartExamined = "HEART"
    data.PatientPosition = "HFS"
    data.ScanningSequence, data.SequenceVariant, data.ScanOptions = "GR", "SS", "CG"
    data.MRAcquisitionType, data.EchoTime, data.RepetitionTime = "2D", 1.2, 40.0
    data.EchoTrainLength, data.FlipAngle, data.MagneticFieldStrength = 1, 50.0, 1.5
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = 0
    data.PixelSpacing, data.SliceThickness, data.SpacingBetweenSlices = [2.5, 2.5], 8.0, 10.0
    data.ImageOrientationPatient = [*ROW, *COLUMN]
    data.ImagePositionPatient = [round(float(v), 4) for v in place * NORMAL]
    data.TriggerTime = time
    if phases is not None:
        data.CardiacNumberOfImages = phases
    for keyword, value in facts.items():
        setattr(data, keyword, value)
    data.PixelData = pixels.astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    return data


def series(
    slices: int = 3,
    phases: int = 3,
    *,
    seed: int = 0,
    study: str | None = None,
    first: int = 0,
    size: int = 32,
    **facts: object,
) -> list[Dataset]:
    """The images of a cine of slices 10 mm apart, the first one ``first`` slices up the stack."""
    rng = np.random.default_rng(seed)
    study = study or generate_uid(entropy_srcs=["study", str(seed)])
    uid = generate_uid(entropy_srcs=[study, str(seed), str(first), repr(sorted(facts.items()))])
    found = []
    for number, (place, phase) in enumerate(_positions(slices, phases), start=1):
        pixels = rng.integers(0, 900, (size, size))
        found.append(
            image(
                number,
                pixels,
                place=10.0 * (first + place),
                time=40.0 * phase,
                study=study,
                series=uid,
                phases=phases,
                **facts,
            )
        )
    return found


def _positions(slices: int, phases: int) -> Iterator[tuple[int, int]]:
    for place in range(slices):
        for phase in range(phases):
            yield place, phase


def save(images: list[Dataset], folder: Path) -> list[Path]:
    """Write them as files; named in no order."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(1).permutation(len(images))
    paths = []
    for name, data in zip(order, images, strict=True):
        path = folder / f"IM{name:04d}"
        data.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def identifying_words() -> list[str]:
    """What to look for, in small letters."""
    words = [w for value in IDENTIFIERS.values() for w in value.replace("^", " ").split()]
    return [word.casefold() for word in words if len(word) > 3]
