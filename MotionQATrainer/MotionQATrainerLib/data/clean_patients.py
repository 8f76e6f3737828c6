"""Clean volumes to simulate motion on: a folder of patients, each with ED and ES."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MotionQALib import volumes
from MotionQALib.subjects import persons, subject_of
from MotionQALib.volumes import VolumeError


@dataclass(frozen=True)
class CleanPatient:
    """One patient's end-diastolic and end-systolic stacks, where they are stored.

    Parameters
    ----------
    phases : "ED" and "ES" -> file and frame in it; a patient with one frame has only "ED"
    """

    name: str
    phases: dict[str, tuple[Path, int]]

    def read(self, phase: str) -> tuple[np.ndarray, tuple[float, float, float]]:
        """Stack (slices, rows, columns) float32 of a phase, and its spacing in mm."""
        path, frame = self.phases[phase]
        volume = volumes.read(path)
        return np.ascontiguousarray(volume.voxels[frame], dtype=np.float32), volume.spacing

    def heart_centre(self, phase: str) -> tuple[float, float] | None:
        """Row and column of the heart by the mask beside the image; None where there is none."""
        mask = volumes.mask_beside(self.phases[phase][0])
        if mask is None:
            return None
        heart = np.argwhere(volumes.read_mask(mask).voxels.any(axis=(0, 1)))
        return float(heart[:, 0].mean()), float(heart[:, 1].mean())

    def left_ventricles(self) -> Iterator[tuple[np.ndarray, tuple[float, float], np.ndarray]]:
        """Of each phase with a mask: its stack, its pixels in mm, and the ventricle's row and
        column."""
        for phase, (path, _) in self.phases.items():
            mask = volumes.mask_beside(path)
            middle = None if mask is None else _left_ventricle(mask)
            if middle is not None:
                stack, spacing = self.read(phase)
                yield stack, spacing[1:], middle


def find_patients(folder: str | Path) -> list[CleanPatient]:
    """Patients below ``folder``: a sub-folder each, or a file each where there are none.

    Files of one person (``subjects.persons``), or whose names or folders tell one subject
    (``subjects.subject_of``), are one patient. ACDC's
    ``Info.cfg`` names the frames; else the first file is ED and the first that ends in ES, or the
    last, is ES, and of a cine the first frame and the one a third of the way on. Raises
    VolumeError where nothing is found.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise VolumeError(f"{folder}: there is no such folder of clean volumes.")
    groups: dict[str, list[Path]] = {}
    found = {str(path): path for path in volumes.find(folder)}
    told = persons(found, folder).named
    for key, path in found.items():
        groups.setdefault(told.get(key) or _name(folder, path), []).append(path)
    return [_patient(name, paths) for name, paths in groups.items()]


def _name(folder: Path, path: Path) -> str:
    """ACDC's patient folder, which may lie deeper; else the first folder; else the file."""
    if path.parent != folder and (path.parent / "Info.cfg").is_file():
        return path.parent.name
    parts = path.relative_to(folder).parts
    return subject_of(parts[0] if len(parts) > 1 else volumes.stem_of(path))


def _patient(name: str, paths: list[Path]) -> CleanPatient:
    single = [path for path in paths if "4d" not in path.name] or paths
    named = _frames_of_info(single)
    if named:
        return CleanPatient(name, named)
    if len(single) > 1:
        systole = [path for path in single[1:] if volumes.stem_of(path).upper().endswith("ES")]
        return CleanPatient(name, {"ED": (single[0], 0), "ES": ((systole or single[-1:])[0], 0)})
    frames = volumes.read(single[0]).n_frames
    phases = {"ED": (single[0], 0)}
    if frames > 2:
        phases["ES"] = (single[0], round(0.35 * frames))
    return CleanPatient(name, phases)


def _frames_of_info(paths: list[Path]) -> dict[str, tuple[Path, int]]:
    info = paths[0].parent / "Info.cfg"
    if not info.is_file():
        return {}
    frames = dict(re.findall(r"^(ED|ES):\s*(\d+)", info.read_text(errors="replace"), re.MULTILINE))
    found = {}
    for phase, number in frames.items():
        for path in paths:
            if volumes.stem_of(path).endswith(f"_frame{int(number):02d}"):
                found[phase] = (path, 0)
    return found if "ED" in found else {}


def _left_ventricle(path: Path) -> np.ndarray | None:
    """Row and column of the middle of the left ventricle in a mask; None where it is empty.

    Labels are ACDC's, 2 muscle and 3 cavity; of other masks the whole counts.
    """
    voxels = volumes.read_mask(path).voxels
    mask = voxels.reshape(-1, *voxels.shape[2:])
    left = mask >= 2 if (mask >= 2).any() else mask > 0
    return np.argwhere(left)[:, 1:].mean(0) if left.any() else None
