"""The ``motionqa-train`` command.

Exit status: 0 done, 1 it could not be done (one sentence on stderr says why), 2 bad usage.
Whatever is heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments) or 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the output has gone
        return 1
    except ModuleNotFoundError as error:
        print(
            f"The Python package {error.name} is missing; install it with "
            "pip install 'motionqa[train]'.",
            file=sys.stderr,
        )
        return 1
    except (ValueError, RuntimeError, OSError) as error:
        print(_sentence(error), file=sys.stderr)
        return 1


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'A file'}: {error.strerror}."
    return str(error).strip() or type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motionqa-train",
        description="Train networks that grade respiratory motion in cardiac MR, and test them.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_simulate(commands)
    _add_fit(commands)
    _add_evaluate(commands)
    _add_compare(commands)
    _add_export_png(commands)
    return parser


def _add_simulate(commands) -> None:
    parser = commands.add_parser("simulate", help="write a labelled data set with simulated motion")
    parser.add_argument("clean", type=Path, metavar="CLEAN_DIR", help="volumes without motion")
    parser.add_argument("out", type=Path, metavar="OUT_DIR", help="data set to write")
    parser.add_argument("--subjects", type=_positive, required=True, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--wide", action="store_true", help="stray beyond what is typical, for training"
    )
    parser.add_argument(
        "--split", type=Path, metavar="F.json", help="take the clean patients of one part of it"
    )
    parser.add_argument(
        "--part", nargs="+", choices=("train", "valid", "test"), default=["train", "valid"],
        help="which with --split (default: train valid)",
    )  # fmt: skip
    parser.add_argument("--workers", type=_positive, default=2, metavar="N", help="processes")
    parser.set_defaults(run=_simulate)


def _add_fit(commands) -> None:
    parser = commands.add_parser("fit", help="train a network")
    _add_data(parser)
    parser.add_argument("--backbone", metavar="NAME", help="timm's name")
    parser.add_argument("--output", type=Path, required=True, metavar="F.safetensors")
    _add_settings(parser)
    parser.add_argument(
        "--pretrained",
        action=argparse.BooleanOptionalAction,
        help="start from ImageNet weights, or not",
    )
    parser.add_argument("--epochs", type=_positive)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--init", metavar="CHECKPOINT", help="start from a checkpoint's weights")
    parser.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    parser.set_defaults(run=_fit)


def _add_evaluate(commands) -> None:
    parser = commands.add_parser("evaluate", help="grade labelled images and say how well")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="name or file")
    _add_data(parser, split="JSON file of the subjects' parts; default: the checkpoint's own")
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
        "--no-baselines", dest="baselines", action="store_false", help="the network alone"
    )
    parser.add_argument("--train-data", type=Path, metavar="DIR", help="fit the baselines on this")
    parser.add_argument("--train-labels", type=Path, metavar="CSV", help="with these labels")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep resampled slices here")
    parser.add_argument("--json", type=Path, metavar="F", help="write the figures")
    parser.add_argument("--markdown", type=Path, metavar="F", help="write the table")
    parser.add_argument(
        "--update-card", action="store_true", help="write the figures in the checkpoint's card"
    )
    parser.set_defaults(run=_evaluate)


def _add_compare(commands) -> None:
    parser = commands.add_parser("compare", help="train several backbones with the same settings")
    _add_data(parser)
    parser.add_argument(
        "--backbones", nargs="+", metavar="NAME", help="timm's names; default: all of MotionQA's"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--folds", type=int, default=0, metavar="K", help="subject folds")
    _add_settings(parser)
    parser.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    parser.set_defaults(run=_compare)


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
    parser.set_defaults(run=_export_png)


def _add_data(parser: argparse.ArgumentParser, split: str = "JSON file of the parts") -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="images")
    parser.add_argument(
        "--labels", type=Path, required=True, metavar="CSV",
        help="CMRxMotion's IQA.csv, image,score, or a row a slice",
    )  # fmt: skip
    parser.add_argument("--split", type=Path, metavar="F.json", help=split)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", type=Path, metavar="F.toml")
    parser.add_argument(
        "--set", dest="changes", action="append", default=[], metavar="table.name=value",
        help="override one setting; may be repeated",
    )  # fmt: skip
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep resampled slices here")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def _settings(arguments: argparse.Namespace):
    from .settings import Settings

    settings = Settings.load(arguments.settings) if arguments.settings else Settings()
    named = {
        "model.backbone": getattr(arguments, "backbone", None),
        "model.pretrained": getattr(arguments, "pretrained", None),
        "training.epochs": getattr(arguments, "epochs", None),
        "training.seed": getattr(arguments, "seed", None),
    }
    settings = settings.overridden(arguments.changes)
    return settings.changed({key: value for key, value in named.items() if value is not None})


def _report(event) -> None:
    """Lines as they are; a counter that overwrites itself where a person watches."""
    if event.text:
        print(event.text, flush=True)
    elif sys.stderr.isatty():
        end = "\n" if event.done == event.total else ""
        print(f"\r{event.stage} {event.done}/{event.total} ", end=end, file=sys.stderr, flush=True)


def _simulate(arguments: argparse.Namespace) -> None:
    from .progress import Event
    from .simulated_set import write_set
    from .splits import Split

    patients = None
    if arguments.split:
        split = Split.load(arguments.split)
        patients = [name for part in arguments.part for name in getattr(split, part)]
    labels = write_set(
        arguments.clean,
        arguments.out,
        arguments.subjects,
        seed=arguments.seed,
        patients=patients,
        wide=arguments.wide,
        workers=arguments.workers,
        progress=lambda done, total: _report(Event("simulate", done=done, total=total)),
    )
    volumes = sum(label.slice is None for label in labels)
    print(f"{arguments.out} holds {volumes} volumes of {len(labels) - volumes} slices.")


def _fit(arguments: argparse.Namespace) -> None:
    from .training import fit

    fit(
        arguments.data,
        arguments.labels,
        arguments.output,
        _settings(arguments),
        split=arguments.split,
        init=arguments.init,
        resume=arguments.resume,
        cache=arguments.cache,
        device=arguments.device,
        progress=_report,
    )


def _evaluate(arguments: argparse.Namespace) -> None:
    from .evaluation import evaluate
    from .findings import update_card

    if bool(arguments.train_data) != bool(arguments.train_labels):
        raise ValueError("--train-data and --train-labels go together; give both.")
    if arguments.sweep and arguments.clean is None:
        raise ValueError("--sweep simulates motion on untouched volumes; give --clean DIR too.")
    found = evaluate(
        arguments.checkpoint,
        arguments.data,
        arguments.labels,
        split=arguments.split,
        part=arguments.part,
        clean=arguments.clean,
        sweep=arguments.sweep,
        baselines=None if arguments.baselines else (),
        train=(arguments.train_data, arguments.train_labels) if arguments.train_data else None,
        cache=arguments.cache,
        device=arguments.device,
        progress=_report,
    )
    print(found.table())
    if arguments.json:
        found.save(arguments.json)
    if arguments.markdown:
        arguments.markdown.write_text(found.table("markdown") + "\n", encoding="utf-8")
    if arguments.update_card:
        update_card(arguments.checkpoint, found)


def _compare(arguments: argparse.Namespace) -> int:
    from .comparison import compare, table

    rows = compare(
        arguments.data,
        arguments.labels,
        arguments.output,
        _settings(arguments),
        backbones=arguments.backbones,
        folds=arguments.folds,
        split=arguments.split,
        resume=arguments.resume,
        cache=arguments.cache,
        device=arguments.device,
        progress=_report,
    )
    print(table(rows))
    return int(any(row.failed for row in rows))


def _export_png(arguments: argparse.Namespace) -> None:
    from .export_png import export_png

    written, remarks = export_png(
        arguments.data, arguments.labels, arguments.out, axis=arguments.axis
    )
    for remark in remarks:
        print(remark, file=sys.stderr)
    print(f"Wrote {written} slices to {arguments.out}.")


if __name__ == "__main__":
    sys.exit(main())
