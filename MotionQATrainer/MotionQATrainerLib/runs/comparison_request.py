"""A comparison of backbones as it is asked for."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from .request import Request, add_data, add_going_on, add_settings, whole_number


@dataclass(frozen=True, kw_only=True)
class ComparisonRequest(Request):
    """Several backbones to train under the same settings; ``output`` is a folder.

    Parameters
    ----------
    backbones : timm's names; empty: all of MotionQA's
    folds : subjects are split into so many folds, each validating once; 0: one split
    """

    backbones: tuple[str, ...] = ()
    folds: int = 0

    def to_argv(self) -> list[str]:
        argv = ["compare", *self._shared_argv(), "--folds", str(self.folds)]
        return argv + (["--backbones", *self.backbones] if self.backbones else [])

    @classmethod
    def from_parsed(cls, parsed: argparse.Namespace) -> ComparisonRequest:
        """Of the command line's arguments (`add_compare`)."""
        backbones = tuple(parsed.backbones or ())
        return cls(backbones=backbones, folds=parsed.folds, **cls._shared_fields(parsed))


def add_compare(commands) -> None:
    """Add ``compare`` to the parser's commands."""
    parser = commands.add_parser("compare", help="train several backbones with the same settings")
    add_data(parser)
    parser.add_argument(
        "--backbones", nargs="+", metavar="NAME", help="timm's names; default: all of MotionQA's"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--folds", type=whole_number, default=0, metavar="K", help="subject folds")
    add_settings(parser)
    add_going_on(parser)
