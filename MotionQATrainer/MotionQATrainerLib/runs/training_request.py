"""A training as it is asked for: in Python, as a command line, and in the file that repeats it."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .request import (
    Request,
    add_data,
    add_going_on,
    add_settings,
    changes_of,
    positive,
    whole_number,
)

PROGRAM, MODULE = "motionqa-train", "MotionQATrainerLib.cli"
TORCHRUN, PROCESSES = ("torchrun", "--standalone"), "--nproc-per-node"


@dataclass(frozen=True, kw_only=True)
class TrainingRequest(Request):
    """One network to train.

    Parameters
    ----------
    backbone : timm's name; None: the settings' own
    init : checkpoint (name or file) of the same backbone whose weights it starts from
    start_from, what : checkpoint to adapt to the labels, and what of it: "calibration", "head",
        "all" or "auto"
    """

    backbone: str | None = None
    init: str | None = None
    start_from: str | None = None
    what: str = "auto"

    def to_argv(self) -> list[str]:
        argv = ["fit", *self._shared_argv()]
        argv += [] if self.backbone is None else ["--backbone", self.backbone]
        argv += [] if self.init is None else ["--init", str(self.init)]
        if self.start_from is not None:
            argv += ["--from", str(self.start_from), "--what", self.what]
        return argv

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> TrainingRequest:
        """Read ``fit …``; ValueError says what is wrong with it."""
        parser = argparse.ArgumentParser(prog=PROGRAM, exit_on_error=False)
        add_fit(parser.add_subparsers(dest="command", required=True))
        try:
            parsed, rest = parser.parse_known_args(argv)
        except (argparse.ArgumentError, SystemExit) as error:
            raise ValueError(f"{shlex.join(argv)!r} is no training that can be read.") from error
        if rest:
            raise ValueError(f"A training has no argument {rest[0]}.")
        return cls.from_parsed(parsed)

    @classmethod
    def from_parsed(cls, parsed: argparse.Namespace) -> TrainingRequest:
        """Of the command line's arguments (`add_fit`)."""
        named = {
            "model.pretrained": parsed.pretrained,
            "training.epochs": parsed.epochs,
            "training.seed": parsed.seed,
        }
        shared = cls._shared_fields(parsed)
        given = changes_of({key: value for key, value in named.items() if value is not None})
        shared["changes"] += given
        return cls(
            backbone=parsed.backbone,
            init=parsed.init,
            start_from=parsed.start,
            what=parsed.what,
            **shared,
        )

    def to_command(self) -> str:
        """The line that does it again wherever it is given: paths are whole."""
        files = {
            name: Path(whole_path(value))
            for name in ("data", "output", "labels", "split", "settings_file", "cache")
            if (value := getattr(self, name)) is not None
        }
        names = {
            name: whole_path(value)
            for name in ("init", "start_from")
            if (value := getattr(self, name)) is not None
        }
        argv = replace(self, **files, **names).to_argv()
        if self.processes == 1:
            return shlex.join([PROGRAM, *argv])
        return shlex.join([*TORCHRUN, PROCESSES, str(self.processes), "-m", MODULE, *argv])

    @classmethod
    def from_command(cls, line: str) -> TrainingRequest:
        """Read what `to_command` wrote. Raises ValueError."""
        first, *rest = shlex.split(line) or [""]
        if first == PROGRAM:
            return cls.from_argv(rest)
        if first != TORCHRUN[0] or MODULE not in rest or PROCESSES not in rest:
            raise ValueError(f"{line!r} is no command that trains.")
        processes = int(rest[rest.index(PROCESSES) + 1])
        request = cls.from_argv(rest[rest.index(MODULE) + 1 :])
        return replace(request, processes=processes)


def whole_path(path: str | Path) -> str:
    """A path that holds wherever it is given; a name of the catalogue as it is."""
    return str(Path(path).resolve()) if Path(path).exists() or Path(path).suffix else str(path)


def add_fit(commands) -> None:
    """Add ``fit`` to the parser's commands."""
    parser = commands.add_parser("fit", help="train a network")
    add_data(parser, labels=False)
    parser.add_argument("--backbone", metavar="NAME", help="timm's name")
    parser.add_argument("--output", type=Path, required=True, metavar="F.safetensors")
    add_settings(parser)
    parser.add_argument(
        "--pretrained",
        action=argparse.BooleanOptionalAction,
        help="start from ImageNet weights, or not",
    )
    parser.add_argument("--epochs", type=positive)
    parser.add_argument("--seed", type=whole_number)
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--init", metavar="CHECKPOINT", help="start from a checkpoint's weights")
    start.add_argument(
        "--from", dest="start", metavar="CHECKPOINT",
        help="adapt a checkpoint to these labels, and compare it with before",
    )  # fmt: skip
    parser.add_argument(
        "--what", choices=("auto", "calibration", "head", "all"), default="auto",
        help="of --from, what is adapted (default: as much as the number of labels supports)",
    )  # fmt: skip
    add_going_on(parser)
