"""Which of the files in a folder are images, and which are masks of others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .dicom import candidates, files_in, stacks_under
from .dicom_series import sort_files
from .file_kinds import FORMATS, is_dicom, stem_of, suffix_of
from .folder_walk import files_under

_MASK_ENDINGS = ("_gt", "-gt", "_label", "-label", "_seg", "-seg", ".seg", "_mask", "-mask")

_MASK_NAME = re.compile(
    r"^(seg|label|labels|mask|gt|roi|contour|segmentation)[_\-. ]"
    r"|[_\-. ](gt|seg|label|mask|segmentation|groundtruth)s?([_\-. ]\w{0,12})?$",
    re.IGNORECASE,
)
_MASK_FOLDERS = {
    *("labelstr", "labelsts", "labelsval", "labels", "label", "masks", "mask", "segmentations"),
    *("segmentation", "segs", "gt", "groundtruth", "ground_truth", "annotations", "rois"),
}


def images_under(folder: Path) -> tuple[list[Path], list[Path]]:
    """Images of a folder and its subfolders, sorted, and the masks that were left out.

    What stands for a DICOM stack is its folder or one of its files.
    """
    others = [file for file in files_under(folder) if not file.name.startswith(".")]
    files = [file for file in others if FORMATS.get(suffix_of(file), "dicom") != "dicom"]
    beside: dict[Path, set[str]] = {}
    for file in files:
        beside.setdefault(file.parent, set()).add(stem_of(file))
    masks = [file for file in files if is_mask(file, folder, beside[file.parent])]
    if len(masks) == len(files):
        masks = [file for file in masks if _follows_image(file, beside[file.parent])]
    images = [file for file in files if file not in set(masks)]
    stacks = stacks_under(folder, candidates(folder))
    order = {path: _place(path) for path in [*images, *stacks]}
    return sorted(order, key=order.__getitem__), masks


def _place(path: Path) -> tuple:
    """Files of a folder before its subfolders, as a walk meets them."""
    return tuple((part != path.name, part) for part in path.parts)


def spare_files(paths: Iterable[Path]) -> set[Path]:
    """DICOM images of a stack that one of the paths before stands for."""
    given = [
        path
        for path in paths
        if FORMATS.get(suffix_of(path), "dicom") == "dicom" and is_dicom(path)
    ]
    if len(given) < 2:
        return set()
    folders = dict.fromkeys(path.parent for path in given)
    found = sort_files(file for folder in folders for file in files_in(folder))
    spare: set[Path] = set()
    for stack in found.stacks:
        spare |= {*[path for path in given if path in stack.files][1:]}
    return spare


def is_mask(path: Path, root: Path, stems: set[str]) -> bool:
    """Whether a file is a segmentation, by its name or the folder's; ``stems`` are its neighbours.

    Only folders below ``root`` count: somebody may keep all images in one called "labels".
    """
    if _follows_image(path, stems) or _MASK_NAME.search(stem_of(path)):
        return True
    below = path.parent.relative_to(root).parts if root in path.parents else ()
    return any(part.lower() in _MASK_FOLDERS for part in below)


def _follows_image(path: Path, stems: set[str]) -> bool:
    """A mask is named after an image beside it, as in x.nii.gz and x_gt.nii.gz."""
    stem = stem_of(path)
    return any(stem.endswith(end) and stem.removesuffix(end) in stems for end in _MASK_ENDINGS)


def mask_beside(image: Path) -> Path | None:
    """The mask that is named after an image and lies beside it, if there is one."""
    stem, suffix = stem_of(image), suffix_of(image)
    suffix = image.name[len(image.name) - len(suffix) :]
    masks = (image.with_name(f"{stem}{ending}{suffix}") for ending in _MASK_ENDINGS)
    return next((mask for mask in masks if mask.is_file()), None)
