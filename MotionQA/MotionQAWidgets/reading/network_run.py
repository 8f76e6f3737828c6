"""Grades all cases of a study with the network, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from slicer.i18n import tr as _

import MotionQALib
from MotionQALib.signals import Signal

from ..child import ChildProcess

# A command line could be too short for the paths of a large study.
START = "from MotionQALib import cli; sys.exit(cli.main(json.load(sys.stdin)))"


class NetworkRun:
    """``motionqa assess`` of files, which go on being read meanwhile.

    Signals
    -------
    finished(path, problem) : the file with the grades, or None; and a sentence where it went wrong,
        which it may have for some files only
    """

    def __init__(self, files: Sequence[Path], checkpoint: str, output: Path) -> None:
        self.finished = Signal()
        self._output = output
        self._process = ChildProcess(START, packages=[MotionQALib])
        self._process.ended.connect(self._on_end)
        paths = [str(path) for path in files]
        command = ["assess", *paths, "--checkpoint", checkpoint, "--json", str(output)]
        self._process.write(json.dumps(command).encode())
        self._process.end_input()

    def stop(self) -> None:
        """End it; `finished` is not heard any more."""
        self.finished.disconnect()
        self._process.kill()

    def _on_end(self, log: list[str]) -> None:
        status = self._process.status
        problem = "" if status == 0 else "\n".join(log[-3:]) or _("The network failed.")
        graded = status in (0, 1) and self._output.is_file()
        self.finished.emit(self._output if graded else None, problem)
