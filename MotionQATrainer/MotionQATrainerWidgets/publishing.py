"""A finished checkpoint among the user's own, where the module MotionQA lists it."""

from __future__ import annotations

import filecmp
import logging
from itertools import chain, count
from pathlib import Path

from MotionQALib.checkpoints import user_folder
from MotionQALib.whole_files import copy_whole
from MotionQATrainerLib.data.splits import split_file
from MotionQAWidgets import checkpoint_list


def publish(checkpoint: str | Path | None, *, replace: bool = False) -> None:
    """Copy a checkpoint into the user's folder, unless it lies there, and have it listed.

    Its split goes with it, which says whom it must not be tested on. Another checkpoint of its
    name stays, and this one takes the next number, unless the user agreed to ``replace`` it.
    A comparison has none of its own: nothing happens.
    """
    if checkpoint is None:
        return
    source = Path(checkpoint)
    target = user_folder() / source.name if replace else listed_as(source)
    try:
        if source.resolve() != target.resolve():
            if split_file(source).is_file():
                copy_whole(split_file(source), split_file(target))
            copy_whole(source, target)
    except OSError:
        logging.exception("MotionQA: %s could not be copied to %s", source, target)
    checkpoint_list.list_again(target)


def listed_as(checkpoint: str | Path) -> Path:
    """The file in the user's folder that is this checkpoint, or would be once it is published."""
    source, folder = Path(checkpoint), user_folder()
    if source.resolve() == (folder / source.name).resolve():
        return folder / source.name
    names = chain([source.name], (f"{source.stem}-{n}{source.suffix}" for n in count(2)))
    targets = (folder / name for name in names)
    return next(t for t in targets if not t.exists() or _same(source, t))


def _same(one: Path, other: Path) -> bool:
    """Whether two files are equal; asked again, it looks at their times only."""
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:  # the run's own was deleted: what is listed under its name is taken for it
        return True


def withhold(checkpoint: str | Path) -> None:
    """Keep a checkpoint out of MotionQA's list, should it lie where that looks, until `publish`."""
    target = user_folder() / Path(checkpoint).name
    if Path(checkpoint).resolve() == target.resolve():
        checkpoint_list.leave_out(target)


def is_listed(checkpoint: str | Path) -> bool:
    """Whether MotionQA lists what was trained."""
    target = listed_as(checkpoint)
    return target.is_file() and checkpoint_list.is_listed(target)
