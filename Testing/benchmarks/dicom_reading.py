"""Reading a DICOM cine of 360 files against pydicom's own decoding, and sorting mixed files.

The sorting's bound is on how the time an image grows with their number: 1 is linear.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

READING_BOUND = 1.3
SORTING_BOUND = 1.5
FRAMES, SLICES, SIDE = 30, 12, 208
FEW, MANY = 1_000, 5_000


def run(options) -> Iterator:
    from results import Result
    from timing import compare

    from MotionQALib import volumes

    with TemporaryDirectory() as name:
        folder = Path(name) / "cine"
        frames, slices = (3, 2) if options.quick else (FRAMES, SLICES)
        files = write_cine(folder, frames, slices, SIDE)
        pairs = compare(lambda: _read(volumes, folder), lambda: decode_all(files), 3)
        ours, theirs = pairs.medians
        yield Result(
            benchmark="dicom",
            case=f"{slices} slices × {frames} frames from {len(files)} files",
            figure="reading and sorting against pydicom's decoding of the files in turn",
            values=pairs.ratios,
            bound=READING_BOUND,
            at_most=True,
            detail=f"{1e3 * ours:.0f} against {1e3 * theirs:.0f} ms",
        )
        few_files, many_files = (20, 100) if options.quick else (FEW, MANY)
        few = sort_time(Path(name) / "few", files, few_files)
        many = sort_time(Path(name) / "many", files, many_files)
        yield Result(
            benchmark="dicom",
            case=f"{many_files} mixed files against {few_files}",
            figure="time a file to find the series in a folder, headers only",
            values=((many / many_files) / (few / few_files),),
            bound=SORTING_BOUND,
            at_most=True,
            detail=f"{many:.1f} s for {many_files} files",
        )


def write_cine(folder: Path, frames: int, slices: int, side: int) -> list[Path]:
    """A file an image, as a scanner exports a short-axis cine."""
    import numpy as np
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    files = []
    for number in range(frames * slices):
        s, f = divmod(number, frames)
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = MRImageStorage
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.4"
        data.ImageType, data.Modality = ["ORIGINAL", "PRIMARY", "M", "ND"], "MR"
        data.PatientID, data.SeriesNumber, data.InstanceNumber = "P", 5, number + 1
        data.TriggerTime, data.EchoTime, data.SliceThickness = 30.0 * f, 1.2, 8
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [0, 0, 8.0 * s]
        data.PixelSpacing, data.Rows, data.Columns = [1.5, 1.5], side, side
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelRepresentation = 0
        data.PixelData = rng.integers(0, 900, (side, side), dtype=np.uint16).tobytes()
        files.append(folder / f"IM{number:04d}")
        data.save_as(files[-1], enforce_file_format=True)
    return files


def decode_all(files: list[Path]) -> None:
    """What pydicom does of itself: each file's header and pixels, one after the other."""
    from pydicom import dcmread

    for file in files:
        _ = dcmread(file).pixel_array


def sort_time(folder: Path, files: list[Path], count: int) -> float:
    """Seconds to find the series among ``count`` files, a fifth of them no images."""
    from MotionQALib import volumes

    for number in range(count):
        place = folder / f"P{number // 400:03d}" / f"{number:05d}"
        place.parent.mkdir(parents=True, exist_ok=True)
        if number % 5 == 4:
            place.write_bytes(b"a text beside the images\n" * 9)
        else:
            shutil.copyfile(files[number % len(files)], place)
    _forget()
    start = time.perf_counter()
    volumes.find(folder)
    return time.perf_counter() - start


def _read(volumes, folder: Path) -> None:
    _forget()
    volumes.read(folder)


def _forget() -> None:
    """Headers that were read before would be no reading."""
    from MotionQALib.formats import dicom_header

    dicom_header.forget()
