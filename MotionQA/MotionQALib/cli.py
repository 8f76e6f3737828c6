"""The ``motionqa`` command.

Exit status: 0 all graded, 1 something could not be (said on stderr), 2 bad usage, 130 interrupted.
Whatever is heavy is imported once the command line is known to be sound.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence

from .arguments import parser
from .arrivals.arrival_commands import run_listen, run_watch
from .assess_command import INTERRUPTED, in_words, run_assess
from .command_output import CommandOutput
from .output_files import UsageError
from .privacy import silence_parsers
from .reading.agreement_command import run_agreement


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    console = CommandOutput()
    silence_parsers()
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as stop:  # after --help, --version or bad usage
        return int(stop.code or 0)
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            return COMMANDS[arguments.command](arguments, console)
    except UsageError as error:
        console.complain(f"motionqa {arguments.command}: {error}")
        return 2
    except KeyboardInterrupt:
        console.complain("Stopped.")
        return INTERRUPTED
    except ModuleNotFoundError as error:
        console.complain(
            f"The Python package {error.name} is missing; install it with pip install motionqa."
        )
        return 1
    except Exception as error:  # a bug, or a system that fails: a sentence helps more than a trace
        console.complain(in_words(error))
        return 1


def _checkpoints(arguments: argparse.Namespace, console: CommandOutput) -> int:
    from . import checkpoints

    entries = checkpoints.catalogue()
    for entry in entries:
        card, seen = entry.card, entry.card.network_input
        console.say(
            f"{entry.name}: {card.title}\n"
            f"    {card.backbone}, {seen.size} pixels of {seen.spacing:g} mm, trained on "
            f"{card.motion} motion\n"
            f"    {card.notice}\n"
            f"    {entry.path} ({entry.path.stat().st_size / 1e6:.1f} MB)"
        )
    if not entries:
        console.say("No checkpoint is installed.")
    console.say(f"Your own checkpoints are looked for in {checkpoints.user_folder()}.")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, CommandOutput], int]] = {
    "assess": run_assess,
    "checkpoints": _checkpoints,
    "agreement": run_agreement,
    "watch": run_watch,
    "listen": run_listen,
}


if __name__ == "__main__":
    sys.exit(main())
