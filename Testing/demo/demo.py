"""Grade sample volumes, from nothing: the demonstration that `make demo` runs.

One synthetic person lies in the scanner four times, and breathes as CMRxMotion's volunteers were
asked to: holds the breath, holds it for half of the time, breathes freely, breathes intensively.
`motionqa assess` then grades the four volumes as it would grade any others.
"""

from __future__ import annotations

import csv
import os
import shlex
import subprocess
import sys
import webbrowser
from collections import defaultdict
from pathlib import Path

import numpy as np

from MotionQATrainerLib.breathing import Behaviour, Breathing
from MotionQATrainerLib.phantom import Phantom, write_nifti
from MotionQATrainerLib.severity import score_of_similarity
from MotionQATrainerLib.simulation import Acquisition, MotionSimulator

FOLDER = Path("demo")
SEED = 5
WORDS = {
    Behaviour.HOLD: "holds the breath",
    Behaviour.HALF: "holds for half of the time",
    Behaviour.FREE: "breathes freely",
    Behaviour.INTENSIVE: "breathes intensively",
}


def make_volumes(folder: Path) -> dict[str, tuple[Behaviour, int]]:
    """Write one volume a behaviour; return, by its name, behaviour and simulated score."""
    person = Phantom(seed=SEED)
    rng = np.random.default_rng(SEED)
    clean = person.volume()
    breathing, acquisition = Breathing.draw(rng), Acquisition.draw(rng)
    simulate = MotionSimulator()
    written = {}
    for behaviour in Behaviour:
        displacement = breathing.displacement(behaviour, acquisition.times, len(clean), rng)
        images, similarity = simulate(clean, person.spacing, displacement, acquisition, rng)
        name = f"sample-{behaviour.value}-{behaviour.label}"
        write_nifti(folder / f"{name}.nii.gz", images.numpy(), person.spacing)
        written[name] = behaviour, int(score_of_similarity(float(similarity.mean())))
    return written


def assess(volumes: Path, folder: Path) -> int:
    """Run the command a user would; return its exit status."""
    outputs = {kind: folder / f"report.{kind}" for kind in ("csv", "json", "html")}
    options = [str(part) for kind, path in outputs.items() for part in (f"--{kind}", path)]
    arguments = ["assess", str(volumes), *options]
    print("$", shlex.join(["motionqa", *arguments]), flush=True)
    return subprocess.run([Path(sys.executable).with_name("motionqa"), *arguments]).returncode


def print_grades(report: Path, samples: dict[str, tuple[Behaviour, int]]) -> None:
    """Print a line a volume: what was asked and simulated, and what MotionQA says of it."""
    slices, whole = defaultdict(list), {}
    with report.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["slice"]:
                slices[row["volume"]].append(row["score"])
            else:
                whole[row["volume"]] = row
    line = "{:<19}{:<28}{:<11}{:<10}{:<7}{}"
    header = ("volume", "the person", "simulated", "grade", "score", "slices, base to apex")
    print("\n" + line.format(*header))
    for name, (behaviour, simulated) in samples.items():
        grade, score = whole[name]["grade"], whole[name]["score"]
        print(line.format(name, WORDS[behaviour], simulated, grade, score, " ".join(slices[name])))
    print("Scores: 5 excellent to 1 non-diagnostic. `simulated` is what the motion itself earns.")


def show(page: Path) -> None:
    """Say where the report is; open it where there is someone to see it."""
    print(f"\nThe report with pictures: {page.resolve()}")
    on_screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY")
    if on_screen and sys.stdout.isatty() and not os.environ.get("CI"):
        webbrowser.open(page.resolve().as_uri())


def main() -> int:
    volumes = FOLDER / "volumes"
    samples = make_volumes(volumes)
    status = assess(volumes, FOLDER)
    if status == 0:
        print_grades(FOLDER / "report.csv", samples)
        show(FOLDER / "report.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
