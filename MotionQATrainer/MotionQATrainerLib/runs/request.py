"""What everything that trains is asked: one spelling for the console, the panel and commands."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `TrainingRequest` and `ComparisonRequest` share.

    Parameters
    ----------
    data : folder of images
    output : checkpoint or folder to write
    labels : CSV file; None: the images are clean, and motion is simulated on them
    split : JSON file of the subjects' parts
    settings_file : TOML file
    changes : ``name=value`` that override it, with TOML's values
    cache : folder for resampled slices
    device : "auto", "cpu", "cuda" or "mps"
    resume, overwrite : go on where it was stopped; start anew though something is lost
    processes : that share the work, by torchrun, which starts the command
    """

    data: Path
    output: Path
    labels: Path | None = None
    split: Path | None = None
    settings_file: Path | None = None
    changes: tuple[str, ...] = ()
    cache: Path | None = None
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False
    processes: int = 1

    def to_argv(self) -> list[str]:
        """Arguments of ``motionqa-train``, its command first."""
        raise NotImplementedError

    def _shared_argv(self) -> list[str]:
        files = {
            "--data": self.data,
            "--labels": self.labels,
            "--split": self.split,
            "--settings": self.settings_file,
            "--cache": self.cache,
            "--output": self.output,
        }
        argv = [part for name, file in files.items() if file is not None for part in (name, file)]
        argv += ["--device", self.device]
        argv += [part for change in self.changes for part in ("--set", change)]
        argv += ["--resume"] if self.resume else ["--overwrite"] if self.overwrite else []
        return [str(part) for part in argv]

    @staticmethod
    def _shared_fields(parsed: argparse.Namespace) -> dict[str, Any]:
        insisted = changes_of({"data.distinct_subjects": True}) if parsed.distinct_subjects else ()
        return {
            "data": parsed.data,
            "output": parsed.output,
            "labels": parsed.labels,
            "split": parsed.split,
            "settings_file": parsed.settings,
            "changes": (*parsed.changes, *insisted),
            "cache": parsed.cache,
            "device": parsed.device,
            "resume": parsed.resume,
            "overwrite": parsed.overwrite,
        }


def changes_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Settings by name, as the ``changes`` of a request: JSON's plain values are TOML's too."""
    return tuple(f"{name}={json.dumps(value)}" for name, value in settings.items())


def add_data(
    parser: argparse.ArgumentParser, split: str = "JSON file of the parts", labels: bool = True
) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="images")
    without = "" if labels else "; without: images are clean, and motion is simulated each epoch"
    parser.add_argument(
        "--labels", type=Path, required=labels, metavar="CSV",
        help=f"CMRxMotion's IQA.csv, image,score, or a row a slice{without}",
    )  # fmt: skip
    parser.add_argument("--split", type=Path, metavar="F.json", help=split)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")


def add_distinct(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--distinct-subjects", action="store_true",
        help="subjects whose names look like one person's are different people, as you made sure",
    )  # fmt: skip


def add_settings(parser: argparse.ArgumentParser) -> None:
    add_distinct(parser)
    parser.add_argument("--settings", type=Path, metavar="F.toml")
    parser.add_argument(
        "--set", dest="changes", action="append", default=[], metavar="table.name=value",
        help="override one setting; may be repeated",
    )  # fmt: skip
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep resampled slices here")


def add_going_on(parser: argparse.ArgumentParser) -> None:
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    either.add_argument(
        "--overwrite", action="store_true", help="start anew, though an unfinished run is lost"
    )
    parser.add_argument(
        "--progress", choices=("text", "json"), default="text",
        help="how progress is printed: lines for people, or JSON for programs",
    )  # fmt: skip


def whole_number(text: str, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number, {least} or more")
    return int(text)


def positive(text: str) -> int:
    return whole_number(text, 1)
