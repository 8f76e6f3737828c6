"""Grades all cases of a study with the network, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.signals import Signal

from ..child import python_programs

LIBRARY = Path(protocol.__file__).parents[1]

# A command line could be too short for the paths of a large study.
START = (
    "import json, sys; sys.path[0] = sys.argv[1]; "
    "from MotionQALib import cli; sys.exit(cli.main(json.load(sys.stdin)))"
)


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
        process = self._process = qt.QProcess()
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start(python_programs()[0], ["-c", START, str(LIBRARY)])
        paths = [str(path) for path in files]
        command = ["assess", *paths, "--checkpoint", checkpoint, "--json", str(output)]
        process.write(json.dumps(command).encode())
        process.closeWriteChannel()

    def stop(self) -> None:
        """End it; `finished` is not heard any more."""
        process, self._process = self._process, None
        self.finished.disconnect()
        if process is not None:
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            process.kill()
            process.waitForFinished(1000)

    def _on_error(self, error, *_args) -> None:
        if error == qt.QProcess.FailedToStart:
            self._end(None, _("The network's process did not start."))

    def _on_finished(self, *_args) -> None:
        if self._process is None:
            return
        status = self._process.exitCode()
        said = self._process.readAllStandardError().data().decode("utf-8", "replace")
        lines = [line for line in said.splitlines() if line.strip()]
        problem = "" if status == 0 else "\n".join(lines[-3:]) or _("The network failed.")
        self._end(self._output if self._output.is_file() and status in (0, 1) else None, problem)

    def _end(self, output: Path | None, problem: str) -> None:
        self._process = None
        self.finished.emit(output, problem)
