"""Arguments of the ``motionqa-train`` command."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="motionqa-train",
        description="Train networks that grade respiratory motion in cardiac MR, and test them.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_simulate(commands)
    _add_check(commands)
    _add_fit(commands)
    _add_evaluate(commands)
    _add_compare(commands)
    _add_export_png(commands)
    return top


def _add_simulate(commands) -> None:
    parser = commands.add_parser("simulate", help="write a labelled data set with simulated motion")
    parser.add_argument("clean", type=Path, metavar="CLEAN_DIR", help="volumes without motion")
    parser.add_argument("out", type=Path, metavar="OUT_DIR", help="data set to write")
    parser.add_argument("--subjects", type=_positive, required=True, metavar="N")
    parser.add_argument("--seed", type=_whole, default=0)
    drawn = parser.add_mutually_exclusive_group()
    drawn.add_argument(
        "--wide", action="store_true", help="stray beyond what is typical, for training"
    )
    drawn.add_argument(
        "--check", action="store_true", help="draw from ranges of its own, for testing"
    )
    parser.add_argument(
        "--label", type=int, choices=(1, 2), default=2, help="version of the severity label"
    )
    parser.add_argument(
        "--split", type=Path, metavar="F.json", help="take the clean patients of one part of it"
    )
    parser.add_argument(
        "--part", nargs="+", choices=("train", "valid", "test"),
        help="which with --split (default: train valid)",
    )  # fmt: skip
    parser.add_argument("--workers", type=_positive, default=2, metavar="N", help="processes")


def _add_check(commands) -> None:
    parser = commands.add_parser("check", help="say what is wrong with labels and images")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="images")
    parser.add_argument("--labels", type=Path, required=True, metavar="CSV")
    parser.add_argument("--split", type=Path, metavar="F.json", help="look for leaks in it")
    parser.add_argument(
        "--quick", action="store_true", help="do not read the images to find unreadable ones"
    )
    _add_distinct(parser)
    parser.add_argument("--json", type=Path, metavar="F", help="write what was found")


def _add_fit(commands) -> None:
    parser = commands.add_parser("fit", help="train a network")
    _add_data(parser, labels=False)
    parser.add_argument("--backbone", metavar="NAME", help="timm's name")
    parser.add_argument("--output", type=Path, required=True, metavar="F.safetensors")
    _add_settings(parser)
    parser.add_argument(
        "--pretrained",
        action=argparse.BooleanOptionalAction,
        help="start from ImageNet weights, or not",
    )
    parser.add_argument("--epochs", type=_positive)
    parser.add_argument("--seed", type=_whole)
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
    _add_going_on(parser)


def _add_evaluate(commands) -> None:
    parser = commands.add_parser("evaluate", help="grade labelled images and say how well")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="name or file")
    _add_data(
        parser,
        split="JSON file of the subjects' parts; default: the checkpoint's own",
        needed=False,
    )
    parser.add_argument(
        "--part", choices=("train", "valid", "test", "all"), default="test",
        help="which subjects of the split (default: test)",
    )  # fmt: skip
    parser.add_argument(
        "--clean", type=Path, metavar="DIR", help="untouched volumes: how many are graded mild"
    )
    parser.add_argument(
        "--sweep", action="store_true", help="with --clean: scores as simulated motion grows"
    )
    parser.add_argument(
        "--stress", action="store_true",
        help="with --clean: what grades must not hang on; needs neither --data nor --labels",
    )  # fmt: skip
    parser.add_argument(
        "--no-baselines", dest="baselines", action="store_false", help="the network alone"
    )
    parser.add_argument("--train-data", type=Path, metavar="DIR", help="fit the baselines on this")
    parser.add_argument("--train-labels", type=Path, metavar="CSV", help="with these labels")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep resampled slices here")
    parser.add_argument("--json", type=Path, metavar="F", help="write the figures")
    parser.add_argument(
        "--predictions", type=Path, metavar="F.csv",
        help="write each image's label and probabilities, from which the figures follow",
    )  # fmt: skip
    parser.add_argument("--markdown", type=Path, metavar="F", help="write the table")
    parser.add_argument(
        "--update-card", action="store_true", help="write the figures in the checkpoint's card"
    )


def _add_compare(commands) -> None:
    parser = commands.add_parser("compare", help="train several backbones with the same settings")
    _add_data(parser)
    parser.add_argument(
        "--backbones", nargs="+", metavar="NAME", help="timm's names; default: all of MotionQA's"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--folds", type=_whole, default=0, metavar="K", help="subject folds")
    _add_settings(parser)
    _add_going_on(parser)


def _add_export_png(commands) -> None:
    parser = commands.add_parser(
        "export-png", help="write labelled slices as PNG, a folder a label"
    )
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--labels", type=Path, required=True, metavar="CSV")
    parser.add_argument(
        "--axis", type=int, choices=(0, 1, 2, 3), help="slice axis of the files; default: found"
    )


def _add_data(
    parser: argparse.ArgumentParser,
    split: str = "JSON file of the parts",
    labels: bool = True,
    needed: bool = True,
) -> None:
    parser.add_argument("--data", type=Path, required=needed, metavar="DIR", help="images")
    without = "" if labels else "; without: images are clean, and motion is simulated each epoch"
    parser.add_argument(
        "--labels", type=Path, required=labels and needed, metavar="CSV",
        help=f"CMRxMotion's IQA.csv, image,score, or a row a slice{without}",
    )  # fmt: skip
    parser.add_argument("--split", type=Path, metavar="F.json", help=split)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")


def _add_distinct(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--distinct-subjects", action="store_true",
        help="subjects whose names look like one person's are different people, as you made sure",
    )  # fmt: skip


def _add_settings(parser: argparse.ArgumentParser) -> None:
    _add_distinct(parser)
    parser.add_argument("--settings", type=Path, metavar="F.toml")
    parser.add_argument(
        "--set", dest="changes", action="append", default=[], metavar="table.name=value",
        help="override one setting; may be repeated",
    )  # fmt: skip
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep resampled slices here")


def _add_going_on(parser: argparse.ArgumentParser) -> None:
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    either.add_argument(
        "--overwrite", action="store_true", help="start anew, though an unfinished run is lost"
    )
    parser.add_argument(
        "--progress", choices=("text", "json"), default="text",
        help="how progress is printed: lines for people, or JSON for programs",
    )  # fmt: skip


def _whole(text: str, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number, {least} or more")
    return int(text)


def _positive(text: str) -> int:
    return _whole(text, 1)
