"""Arguments of the ``motionqa-train`` command."""

from __future__ import annotations

import argparse
from pathlib import Path

from .runs.comparison_request import add_compare
from .runs.request import add_distinct, positive, whole_number
from .runs.training_request import add_fit


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="motionqa-train",
        description="Train networks that grade respiratory motion in cardiac MR, and test them.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_simulate(commands)
    _add_check(commands)
    add_fit(commands)
    _add_evaluate(commands)
    add_compare(commands)
    _add_export_png(commands)
    return top


def _add_simulate(commands) -> None:
    parser = commands.add_parser("simulate", help="write a labelled data set with simulated motion")
    parser.add_argument("clean", type=Path, metavar="CLEAN_DIR", help="volumes without motion")
    parser.add_argument("out", type=Path, metavar="OUT_DIR", help="data set to write")
    parser.add_argument("--subjects", type=positive, required=True, metavar="N")
    parser.add_argument("--seed", type=whole_number, default=0)
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
    parser.add_argument("--workers", type=positive, default=2, metavar="N", help="processes")


def _add_check(commands) -> None:
    parser = commands.add_parser("check", help="say what is wrong with labels and images")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="images")
    parser.add_argument("--labels", type=Path, required=True, metavar="CSV")
    parser.add_argument("--split", type=Path, metavar="F.json", help="look for leaks in it")
    parser.add_argument(
        "--quick", action="store_true", help="do not read the images to find unreadable ones"
    )
    add_distinct(parser)
    parser.add_argument("--json", type=Path, metavar="F", help="write what was found")


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
