"""Grade sample volumes, from nothing: the demonstration that `make demo` runs.

One synthetic person lies in the scanner four times, and breathes as CMRxMotion's volunteers were
asked to: holds the breath, holds it for half of the time, breathes freely, breathes intensively.
`motionqa assess` then grades the four volumes as it would grade any others.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import webbrowser
from pathlib import Path

import numpy as np

from MotionQATrainerLib.simulation.breathing import Behaviour, Breathing
from MotionQATrainerLib.simulation.phantom import Phantom, write_nifti
from MotionQATrainerLib.simulation.severity import score_of_similarity
from MotionQATrainerLib.simulation.simulator import Acquisition, MotionSimulator

FOLDER = Path("demo")
SEED = 3  # with this one the motion spans the whole scale
WORDS = {
    Behaviour.HOLD: "holds the breath",
    Behaviour.HALF: "holds it for half of the time",
    Behaviour.FREE: "breathes freely",
    Behaviour.INTENSIVE: "breathes intensively",
}


def make_volumes(folder: Path) -> None:
    """Write one volume a behaviour, and say what score the simulated motion earns."""
    person = Phantom(seed=SEED)
    clean = person.volume()
    rng = np.random.default_rng(SEED)
    breathing, acquisition = Breathing.draw(rng), Acquisition.draw(rng)
    simulate = MotionSimulator()
    line = "{:<20}  {:<30}  {}"
    print(line.format("volume", "the person", "score that the simulated motion earns"))
    for behaviour in Behaviour:
        displacement = breathing.displacement(behaviour, acquisition.times, len(clean), rng)
        images, similarity = simulate(clean, person.spacing, displacement, acquisition, rng)
        name = f"sample-{behaviour.value}-{behaviour.label}"
        write_nifti(folder / f"{name}.nii.gz", images.numpy(), person.spacing)
        print(line.format(name, WORDS[behaviour], score_of_similarity(float(similarity.mean()))))


def assess(volumes: Path, report: Path) -> int:
    """Run the command that a user would; return its exit status."""
    options = (("--csv", report.with_suffix(".csv")), ("--json", report.with_suffix(".json")))
    arguments = ["assess", volumes, *(part for option in options for part in option)]
    arguments = [str(part) for part in (*arguments, "--html", report)]
    print("\n$", shlex.join(["motionqa", *arguments]), flush=True)
    return subprocess.run([Path(sys.executable).with_name("motionqa"), *arguments]).returncode


def show(page: Path) -> None:
    """Say where the report is; open it where there is someone to see it."""
    print(f"\nThe report with pictures: {page.resolve()}")
    on_screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY")
    if on_screen and sys.stdout.isatty() and not os.environ.get("CI"):
        webbrowser.open(page.resolve().as_uri())


def main() -> int:
    volumes, report = FOLDER / "volumes", FOLDER / "report.html"
    make_volumes(volumes)
    status = assess(volumes, report)
    if status == 0:
        show(report)
    return status


if __name__ == "__main__":
    sys.exit(main())
