"""Volumes to try at once: one synthetic person, breathing in four ways, for Slicer's Sample Data.

They are made on this computer at first use, in a process of their own; nothing is downloaded.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.error_text import last_line

from . import dependencies
from .child import python_programs

CATEGORY = "MotionQA"
ROOT = Path(__file__).resolve().parents[1]
LIMIT = 300.0
"""Seconds that making them may take on a slow computer; 15 is usual."""

NO_CONSOLE = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Windows opens a console window for a console program that a window starts."""


def samples() -> dict[str, str]:
    """Names in Sample Data, and the files' names."""
    return {
        _("Heart, breath held"): "MotionQA-1-hold",
        _("Heart, breath held for half of the time"): "MotionQA-2-half",
        _("Heart, free breathing"): "MotionQA-3-free",
        _("Heart, intensive breathing"): "MotionQA-4-intensive",
    }


def register() -> None:
    import SampleData

    logic = SampleData.SampleDataLogic
    for name, stem in samples().items():
        logic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=name,
            thumbnailFileName=str(ROOT / "Resources" / "Icons" / "MotionQA.png"),
            # Sample Data takes no source without these; the file is there once it was made.
            uris=_file(stem).as_uri(),
            fileNames=_file(stem).name,
            nodeNames=stem,
            customDownloader=_load,
        )


def folder() -> Path:
    """Where they are kept once made; the number rises when they change."""
    return Path(slicer.app.cachePath) / "MotionQA-samples-1"


def _file(stem: str) -> Path:
    return (folder() / f"{stem}.nii.gz").absolute()


def _load(source):
    (stem,) = source.nodeNames
    problem = provide()
    if problem is not None:
        slicer.util.errorDisplay(problem)
        return None
    return slicer.util.loadVolume(str(_file(stem)), {"name": stem})


def provide() -> str | None:
    """Make what is not there yet; None, or a sentence that says why it could not be made."""
    if all(_file(stem).is_file() for stem in samples().values()):
        return None
    return make(folder())


def make(target: Path) -> str | None:
    """Make all four; None, or a sentence for the user that says why they could not be made."""
    trainer = _trainer()
    if trainer is None:
        return _("The sample volumes are made by MotionQA's trainer, which is not installed.")
    lacking = dependencies.ensure()
    if lacking is not None:
        return lacking
    code = "import sys; sys.path[0] = sys.argv[1]"
    code += "; from MotionQATrainerLib.simulation import demo_volumes"
    code += "; demo_volumes.make(sys.argv[2])"
    paths = [str(trainer), str(target)]
    command = [python_programs()[-1], "-c", code, *paths]
    errors = Path(slicer.app.temporaryPath) / "MotionQA-samples.log"
    with errors.open("w") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            creationflags=NO_CONSOLE,
        )
    deadline = time.monotonic() + LIMIT
    try:
        while process.poll() is None and time.monotonic() < deadline:
            # Not the user's clicks: a second one would make them all again meanwhile.
            slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)
            time.sleep(0.02)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode == 0:
        return None
    text = _("The sample volumes could not be made ({reason}).")
    said = errors.read_text("utf-8", "replace")
    return text.format(reason=last_line(said, _("no reason given")))


def _trainer() -> Path | None:
    """The folder that MotionQATrainerLib is in: with this module once installed, else beside."""
    for place in (ROOT, ROOT.parent / "MotionQATrainer"):
        if (place / "MotionQATrainerLib" / "simulation" / "demo_volumes.py").is_file():
            return place
    return None
