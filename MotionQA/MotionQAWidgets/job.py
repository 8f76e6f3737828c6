"""A request to the grading process with the temporary files that belong to it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from MotionQALib import protocol

from .voxel_file import VoxelFile


@dataclass(eq=False)
class Job:
    """A request, its files, and how far it has come."""

    request: protocol.Load
    file: VoxelFile | None = None
    output: Path | None = None
    sent: bool = False
    cancelled: bool = False

    @classmethod
    def of_volume(
        cls, kind: type[protocol.Assess], number: int, folder: Path, voxels, spacing, about: dict
    ) -> Job:
        """An `Assess` or `Explain`; ValueError says in a sentence why the voxels are none."""
        output = None
        if kind is protocol.Explain:
            output = folder / f"motionqa-{os.getpid()}-maps-{number}.npy"
            positions = [int(position) for position in about["positions"]]
            about = {**about, "positions": positions, "output": str(output)}
        file = VoxelFile(voxels, folder)
        request = kind(
            id=number,
            voxels=str(file.path),
            spacing=[float(size) for size in spacing],
            **{**about, "checkpoint": str(about["checkpoint"])},
        )
        return cls(request, file, output)

    def delete_files(self) -> None:
        if self.file is not None:
            self.file.delete()
        if self.output is not None:
            with suppress(OSError):
                self.output.unlink(missing_ok=True)
