"""What every command that grades takes: a checkpoint, and how to compute."""

from __future__ import annotations

import argparse

from .checkpoints import STARTER


def add_checkpoint(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--checkpoint",
        metavar="NAME|FILE",
        default=STARTER,
        help="what grades: a name that `motionqa checkpoints` lists, or a file (%(default)s)",
    )


def add_computing(command: argparse.ArgumentParser):
    """Add how to compute; the group, for more."""
    computing = command.add_argument_group("computing")
    add = computing.add_argument
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="(%(default)s)")
    add(
        "--precision",
        choices=("auto", "fp32", "bf16", "fp16"),
        default="auto",
        help="auto measures which is fastest (%(default)s)",
    )
    add("--batch-size", metavar="N", type=positive_count, help="slices at a time (by device)")
    return computing


def positive_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, not {text!r}")
    return int(text)
