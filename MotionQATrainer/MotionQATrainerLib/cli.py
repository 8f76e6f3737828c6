"""The ``motionqa-train`` command.

Exit status: 0 done, 1 it could not be done (one sentence on stderr says why), 2 bad usage.
Whatever is heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from MotionQALib.error_text import sentence
from MotionQALib.plain_text import plain
from MotionQALib.whole_files import write_whole

from .arguments import parser
from .runs.comparison_request import ComparisonRequest
from .runs.progress import Stopped
from .runs.request import Request
from .runs.training_request import TrainingRequest


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    arguments = parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command](arguments) or 0
    except Stopped as stopped:
        _say(f"{stopped} Add --resume to the same command.", sys.stderr)
        return 1
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
        _say(sentence(error), sys.stderr)
        return 1


def _settings(request: Request, *, start_from: str | None = None, backbone: str | None = None):
    from .training.training_settings import Settings

    settings = Settings()
    if start_from:
        from .training.fine_tune import gentle_settings

        settings = gentle_settings(start_from)
    if request.settings_file:
        settings = Settings.load(request.settings_file, settings)
    settings = settings.overridden(request.changes)
    return settings.changed({} if backbone is None else {"model.backbone": backbone})


def _say(text: str, stream: TextIO | None = None) -> None:
    """Print what may hold names from files of others, which steer no terminal."""
    print(plain(text, keep="\n\t"), file=stream or sys.stdout, flush=True)


def _report(event) -> None:
    """Lines as they are; a counter that overwrites itself where a person watches."""
    if event.text:
        _say(event.text)
    elif sys.stderr.isatty():
        end = "\n" if event.done == event.total else ""
        print(f"\r{event.stage} {event.done}/{event.total} ", end=end, file=sys.stderr, flush=True)


def _told(arguments: argparse.Namespace):
    """Where progress goes to."""
    if arguments.progress == "text":
        return _report
    from .runs.journal import to_stream

    return to_stream(sys.stdout)


def _simulate(arguments: argparse.Namespace) -> None:
    from .data.splits import Split
    from .runs.progress import Event
    from .simulation.simulated_set import write_set

    patients = None
    if arguments.part and not arguments.split:
        raise ValueError("--part says which subjects of a split; give --split F.json too.")
    if arguments.split:
        split = Split.load(arguments.split)
        patients = [
            name for part in arguments.part or ("train", "valid") for name in getattr(split, part)
        ]
    labels = write_set(
        arguments.clean,
        arguments.out,
        arguments.subjects,
        seed=arguments.seed,
        patients=patients,
        wide=arguments.wide,
        check=arguments.check,
        label=arguments.label,
        workers=arguments.workers,
        progress=lambda done, total: _report(Event("simulate", done=done, total=total)),
    )
    volumes = sum(label.slice is None for label in labels)
    _say(f"{arguments.out} holds {volumes} volumes of {len(labels) - volumes} slices.")


def _check(arguments: argparse.Namespace) -> int:
    from .data.check import check
    from .runs.progress import Event

    found = check(
        arguments.data,
        arguments.labels,
        arguments.split,
        read=not arguments.quick,
        distinct_subjects=arguments.distinct_subjects,
        progress=lambda done, total: _report(Event("read", done=done, total=total)),
    )
    if arguments.json:
        text = json.dumps(found.to_dict(), indent=1, ensure_ascii=False)
        write_whole(arguments.json, text + "\n")
    _say(found.table())
    return int(bool(found.problems))


def _fit(arguments: argparse.Namespace) -> None:
    request = TrainingRequest.from_parsed(arguments)
    start = request.start_from
    settings = _settings(request, start_from=start, backbone=request.backbone)
    files = (request.data, request.labels, request.output, settings)
    shared = _going_on(request, arguments)
    if not start:
        from .training.fit import fit

        fit(*files, init=request.init, **shared)
        return
    from .training.fine_tune import fine_tune

    if request.labels is None:
        raise ValueError("To adapt a checkpoint, labels are needed: give --labels.")
    fine_tune(start, *files, what=request.what, **shared)


def _going_on(request: Request, arguments: argparse.Namespace) -> dict[str, Any]:
    """What everything that trains is told."""
    return {
        "split": request.split,
        "resume": request.resume,
        "overwrite": request.overwrite,
        "cache": request.cache,
        "device": request.device,
        "progress": _told(arguments),
        "cancelled": _asked_to_stop(),
    }


def _asked_to_stop() -> Callable[[], bool]:
    """Whether Ctrl-C was pressed or a cluster wants the machine back; a second Ctrl-C insists."""
    asked = threading.Event()

    def stop(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
    return asked.is_set


def _evaluate(arguments: argparse.Namespace) -> None:
    from .evaluation.evaluate import evaluate
    from .evaluation.findings import update_card

    if not (arguments.stress or (arguments.data and arguments.labels)):
        raise ValueError(
            "evaluate needs --data DIR and --labels CSV, or --stress with --clean DIR."
        )
    if bool(arguments.data) != bool(arguments.labels):
        raise ValueError("--data and --labels go together; give both.")
    if bool(arguments.train_data) != bool(arguments.train_labels):
        raise ValueError("--train-data and --train-labels go together; give both.")
    if arguments.sweep and arguments.clean is None:
        raise ValueError("--sweep simulates motion on untouched volumes; give --clean DIR too.")
    if arguments.stress and arguments.clean is None:
        raise ValueError("--stress spoils untouched volumes; give --clean DIR too.")
    if arguments.data is None:
        _stress(arguments)
        return
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
        predictions=arguments.predictions,
        progress=_report,
    )
    _say(found.table())
    if arguments.json:
        found.save(arguments.json)
    if arguments.markdown:
        write_whole(arguments.markdown, found.table("markdown") + "\n")
    if arguments.update_card:
        update_card(arguments.checkpoint, found)
    if arguments.stress:
        _stress(arguments)


def _stress(arguments: argparse.Namespace) -> None:
    """Print the table of what grades must not hang on; beside --json and --markdown, files."""
    from .evaluation.evaluate import stressed
    from .evaluation.stress import table

    found = stressed(
        arguments.checkpoint,
        arguments.clean,
        split=arguments.split,
        part=arguments.part,
        device=arguments.device,
        progress=_report,
    )
    print(table(found))
    if arguments.json:
        lines = [[line.tried, line.figure, line.value.to_list(), line.count] for line in found]
        path = arguments.json.with_suffix(".stress.json")
        path.write_text(json.dumps(lines, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if arguments.markdown:
        path = arguments.markdown.with_suffix(".stress.md")
        path.write_text(table(found, "markdown") + "\n", encoding="utf-8")


def _compare(arguments: argparse.Namespace) -> int:
    from .training.compare import compare, table

    request = ComparisonRequest.from_parsed(arguments)
    rows = compare(
        request.data,
        request.labels,
        request.output,
        _settings(request),
        backbones=request.backbones,
        folds=request.folds,
        **_going_on(request, arguments),
    )
    _say(table(rows))
    return int(any(row.failed for row in rows))


def _export_png(arguments: argparse.Namespace) -> None:
    from .data.export_png import export_png

    written, remarks = export_png(
        arguments.data, arguments.labels, arguments.out, axis=arguments.axis
    )
    for remark in remarks:
        _say(remark, sys.stderr)
    _say(f"Wrote {written} slices to {arguments.out}.")


COMMANDS = {
    "simulate": _simulate,
    "check": _check,
    "fit": _fit,
    "evaluate": _evaluate,
    "compare": _compare,
    "export-png": _export_png,
}


if __name__ == "__main__":
    sys.exit(main())
