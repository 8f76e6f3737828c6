"""DICOM files of a short-axis cine, as a scanner sends them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

ACROSS = np.array([0.73, 0.68, 0.07])
ACROSS /= np.linalg.norm(ACROSS)
NORMAL = np.cross(ACROSS, np.array([-0.2, 0.3, -0.93]))
NORMAL /= np.linalg.norm(NORMAL)
DOWN = np.cross(NORMAL, ACROSS)
"""The short axis of a heart, in the patient's coordinates (LPS)."""

PIXEL, GAP = 1.5, 8.0
"""mm between pixels, and between slices."""

PATIENT = {"PatientName": "Secret^Nora", "PatientID": "HN-4711"}


def save_cine(
    folder: Path,
    voxels: np.ndarray,
    *,
    first: int = 0,
    series: str | None = None,
    study: str | None = None,
    number: int = 7,
    description: str = "cine_bSSFP_SAX",
    time: str = "101500",
) -> list[Path]:
    """Write (frames, slices, rows, columns) pixels as one file an image; the files in order.

    Parameters
    ----------
    first : place of the first slice along the heart, counted in slices
    time : of the series, HHMMSS
    """
    folder.mkdir(parents=True, exist_ok=True)
    series, study = series or generate_uid(), study or generate_uid()
    paths = []
    for (frame, index), _ in np.ndenumerate(voxels[:, :, 0, 0]):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.SeriesInstanceUID, data.StudyInstanceUID = series, study
        data.update(PATIENT)
        data.SeriesNumber, data.SeriesDescription = number, description
        data.Modality, data.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M", "NORM"]
        data.SeriesDate = data.StudyDate = data.AcquisitionDate = "20240503"
        data.SeriesTime = data.AcquisitionTime = time
        data.StudyTime = "100000"
        data.ScanningSequence, data.SequenceName = "GR", "*tfi2d1_14"
        data.CardiacNumberOfImages = voxels.shape[0]
        data.NominalInterval = 35.0 * voxels.shape[0]
        data.InstanceNumber = 1 + frame + voxels.shape[0] * index
        data.Rows, data.Columns = voxels.shape[2:]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 0
        data.PixelSpacing, data.SliceThickness = [PIXEL, PIXEL], 6
        data.SpacingBetweenSlices = GAP
        data.ImageOrientationPatient = [round(float(v), 6) for v in (*ACROSS, *DOWN)]
        place = NORMAL * GAP * (first + index) + (-50, -60, 40)
        data.ImagePositionPatient = [round(float(v), 4) for v in place]
        data.TriggerTime = 35.0 * frame
        data.PixelData = voxels[frame, index].astype("<u2").tobytes()
        data["PixelData"].VR = "OW"
        paths.append(folder / f"IM{len(paths):04d}")
        data.save_as(paths[-1], enforce_file_format=True)
    return paths
