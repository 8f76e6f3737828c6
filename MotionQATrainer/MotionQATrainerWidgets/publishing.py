"""A finished checkpoint among the user's own, where the module MotionQA lists it."""

from __future__ import annotations

import logging
from pathlib import Path

from MotionQALib.checkpoints import user_folder
from MotionQALib.whole_files import copy_whole
from MotionQATrainerLib.data.splits import split_file
from MotionQAWidgets import checkpoint_list


def publish(checkpoint: str | Path | None) -> None:
    """Copy a checkpoint into the user's folder, unless it lies there, and have it listed.

    Its split goes with it, which says whom it must not be tested on.
    A comparison has none of its own: nothing happens.
    """
    if checkpoint is None:
        return
    source, target = Path(checkpoint), user_folder() / Path(checkpoint).name
    try:
        if source.resolve() != target.resolve():
            if split_file(source).is_file():
                copy_whole(split_file(source), split_file(target))
            copy_whole(source, target)
    except OSError:
        logging.exception("MotionQA: %s could not be copied to %s", source, target)
    checkpoint_list.list_again(target)


def withhold(checkpoint: str | Path) -> None:
    """Keep a checkpoint out of MotionQA's list, should it lie where that looks, until `publish`."""
    target = user_folder() / Path(checkpoint).name
    if Path(checkpoint).resolve() == target.resolve():
        checkpoint_list.leave_out(target)


def is_listed(checkpoint: str | Path) -> bool:
    """Whether MotionQA lists what was trained."""
    target = user_folder() / Path(checkpoint).name
    return target.is_file() and checkpoint_list.is_listed(target)
