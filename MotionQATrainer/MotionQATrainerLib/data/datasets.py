"""Labelled images as slices ready to train on: resampled once, cached, gathered by the batch.

Reading and resampling cost far more than a training step, so they are done once: every labelled
slice lies, resampled and with a margin for shifts and turns, in one memory-mapped file that the
next run finds again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from MotionQALib import volumes
from MotionQALib.file_stamps import stamps
from MotionQALib.heart_centre import heart_centre
from MotionQALib.preprocessing import Preprocessing
from MotionQALib.whole_files import replacing, write_whole

from .labels import Label
from .leaks import same_image_apart, sharing, slice_marks
from .matching import (
    DataError,
    FrameAndSlice,
    first_few,
    frames_and_slices,
    labelled_images,
    nearest_levels,
)
from .splits import Split, SplitError

CACHE_VERSION = 3  # 3: single frames are cropped about the heart too


@dataclass(frozen=True, eq=False)
class SliceStore:
    """Labelled slices.

    Parameters
    ----------
    crops : (n, side, side) float16, resampled to the preprocessing's spacing, not normalised
    images, subjects : (n,) text
    frames, slices : (n,) int
    levels : (n, 5) bool, the scores each label allows
    volume_levels : image's name -> (5,) bool, for images that are labelled as a whole
    preprocessing : of the network's input, which is the middle of each crop
    remarks : sentences for the user about what was left out
    marks : (n,) text, the same where slices' voxels are; None where they were not looked at
    content : digest of all crops
    """

    crops: np.ndarray
    images: np.ndarray
    subjects: np.ndarray
    frames: np.ndarray
    slices: np.ndarray
    levels: np.ndarray
    volume_levels: dict[str, np.ndarray]
    preprocessing: Preprocessing
    remarks: tuple[str, ...] = ()
    marks: np.ndarray | None = None
    content: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def volumes(self) -> np.ndarray:
        """Number of the volume (one frame of one image) that each slice is of, (n,) int64."""
        keys = np.char.add(self.images.astype(str), np.char.mod("\t%d", self.frames))
        return np.unique(keys, return_inverse=True)[1]

    def batch(
        self,
        indices: np.ndarray,
        augment: Callable | None = None,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
        share: slice | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Network input (b, 1, size, size) float32 and levels (b, 5) bool of some slices.

        Of a share of them, the input is what it is among all.
        """
        among = () if share is None else ((len(indices), share),)
        indices = indices if share is None else indices[share]
        crops = torch.from_numpy(np.asarray(self.crops[indices])).to(device).float()
        size = self.preprocessing.size
        if augment is None:
            start = (crops.shape[-1] - size) // 2
            crops = crops[:, start : start + size, start : start + size]
        else:
            crops = augment(crops, size, generator, *among)
        images = self.preprocessing.normalise(crops)[:, None]
        return images, torch.from_numpy(self.levels[indices]).to(device)

    def batches(
        self, indices: np.ndarray, batch_size: int, device: torch.device | str = "cpu"
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Batches in the order of ``indices``, not augmented."""
        for start in range(0, len(indices), batch_size):
            yield self.batch(indices[start : start + batch_size], device=device)


def open_store(
    data: str | Path,
    labels: str | Path,
    preprocessing: Preprocessing,
    *,
    margin: int = 32,
    cache: str | Path,
    progress: Callable[[int, int], None] | None = None,
) -> SliceStore:
    """Slices of the images below ``data`` that ``labels`` speaks of.

    Parameters
    ----------
    labels : CSV file, any of the forms of `labels.read_labels`
    margin : pixels added to the network's input, half on each side
    cache : folder where the resampled slices are kept; a later call with the same files finds
        them there
    progress : called with images done and images to do

    Raises
    ------
    DataError, LabelError, VolumeError
    """
    images = labelled_images(data, labels)
    spoken, paths = images.labels, images.paths
    remarks = [*images.remarks, *images.doubts]
    key = _key(data, paths, spoken, preprocessing, margin)
    folder = Path(cache) / key
    if not (folder / "index.json").exists():
        _build(folder, paths, spoken, preprocessing, margin, progress)
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    remarks += index["remarks"]
    if not index["rows"]:
        raise DataError(" ".join(["No slice is left to train on.", *first_few(remarks)]))
    return _assemble(folder, index, spoken, preprocessing, margin, remarks)


class ResampledSlices(NamedTuple):
    """Labelled slices of one file.

    Parameters
    ----------
    places : frame and slice of each
    crops : (n, side, side) float16
    marks : of each slice's voxels, as `leaks.slice_marks`
    outside : labels that name no slice of the file
    """

    places: list[FrameAndSlice]
    crops: np.ndarray
    marks: list[str]
    outside: int


def resampled(
    path: Path, labels: Sequence[Label], preprocessing: Preprocessing, side: int
) -> ResampledSlices:
    """Labelled slices of one file, ``side`` pixels wide. Raises VolumeError."""
    volume = volumes.read(path)
    chosen, outside = frames_and_slices(labels, volume.n_frames, volume.n_slices)
    if not chosen:
        return ResampledSlices([], np.empty((0, side, side), np.float16), [], outside)
    frames, slices = np.array(chosen).T
    voxels = np.asarray(volume.voxels[frames, slices], dtype=np.float32)
    marks = slice_marks(voxels)
    # float16 reaches 65504; the network's input does not depend on the scale.
    voxels /= max(float(np.abs(voxels).max()), np.finfo(np.float32).tiny)
    centre = heart_centre(volume, preprocessing.locator)
    crops = preprocessing.resample(torch.from_numpy(voxels), volume.spacing[1:], centre, size=side)
    return ResampledSlices(chosen, crops.numpy().astype(np.float16), marks, outside)


def refuse_same_images(store: SliceStore, split: Split | None = None) -> None:
    """Raise SplitError where one image lies under two subjects that a split may part."""
    marks: dict[str, set[str]] = {}
    for image, mark in zip(store.images, () if store.marks is None else store.marks, strict=False):
        marks.setdefault(str(image), set()).add(str(mark))
    subject = dict(zip(map(str, store.images), map(str, store.subjects), strict=True))
    sentences = same_image_apart(sharing(marks), subject, split)
    if sentences:
        raise SplitError(" ".join(first_few(sentences)))


def _key(data, paths, spoken, preprocessing: Preprocessing, margin: int) -> str:
    """Name of a cache: changes with the files, the slices wanted and the preprocessing."""
    files = []
    for image, path in sorted(paths.items()):
        wanted = sorted((str(label.frame), str(label.slice)) for label in spoken[image])
        files.append([image, str(path.resolve()), stamps(path), wanted])
    grid = [preprocessing.spacing, preprocessing.size + margin, preprocessing.locator]
    content = json.dumps([CACHE_VERSION, grid, files])
    return hashlib.blake2b(content.encode(), digest_size=10).hexdigest()


def _build(folder, paths, spoken, preprocessing, margin, progress) -> None:
    """Write crops.f16 and index.json; the index last, so that a killed build is not believed."""
    folder.mkdir(parents=True, exist_ok=True)
    side = preprocessing.size + margin
    rows, remarks, outside = [], [], 0
    content = hashlib.blake2b(digest_size=16)

    def load(image: str):
        try:
            return image, resampled(paths[image], spoken[image], preprocessing, side)
        except volumes.VolumeError as error:
            return image, error

    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    # Threads are enough: decompression and resampling release the interpreter.
    with replacing(folder / "crops.f16") as part, part.open("wb") as file, pool:
        for done, (image, result) in enumerate(pool.map(load, paths), start=1):
            if isinstance(result, Exception):
                remarks.append(str(result))
            else:
                outside += result.outside
                file.write(result.crops.tobytes())
                content.update(result.crops.tobytes())
                marked = zip(result.places, result.marks, strict=True)
                rows += [[image, *place, mark] for place, mark in marked]
            if progress:
                progress(done, len(paths))
    if outside:
        remarks.append(f"{outside} labels name a frame or slice that its image does not have.")
    found = {"rows": rows, "remarks": remarks, "content": content.hexdigest()}
    write_whole(folder / "index.json", json.dumps(found))


def _assemble(folder, index, spoken, preprocessing, margin, remarks) -> SliceStore:
    side, rows = preprocessing.size + margin, index["rows"]
    crops = np.memmap(folder / "crops.f16", np.float16, "r", shape=(len(rows), side, side))
    images, frames, slices, marks = zip(*rows, strict=True)
    wholes = {
        label.image: np.array(label.levels)
        for image in dict.fromkeys(images)
        for label in spoken[image]
        if label.slice is None and label.frame is None
    }
    return SliceStore(
        crops=crops,
        images=np.array(images),
        subjects=np.array([spoken[image][0].subject for image in images]),
        frames=np.array(frames),
        slices=np.array(slices),
        levels=np.array([nearest_levels(spoken[image], *place) for image, *place, _ in rows]),
        volume_levels=wholes,
        preprocessing=preprocessing,
        remarks=tuple(remarks),
        marks=np.array(marks),
        content=index["content"],
    )
