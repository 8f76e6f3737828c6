"""Peak memory of `motionqa assess` on a large study, against that on a tenth of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

BOUND = 1.05


def run(options) -> Iterator:
    import inputs
    from results import Result

    from MotionQALib.backbones import STARTER_BACKBONE
    from MotionQATrainerLib.simulation.phantom import Phantom

    large = 20 if options.quick else 2000
    with TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = inputs.checkpoint(folder, STARTER_BACKBONE)
        small = Phantom(n_slices=4, shape=(64, 72), spacing=(8.0, 4.0, 4.0))
        source = small.save(folder / "source.nii.gz")
        peaks = {}
        for count in (large // 10, large):
            study = folder / f"{count}"
            study.mkdir()
            for number in range(count):
                os.link(source, study / f"v{number:05d}.nii.gz")
            arguments = [str(study), str(folder / f"o{count}"), str(checkpoint)]
            output = subprocess.check_output([sys.executable, __file__, *arguments], text=True)
            peaks[count] = json.loads(output.splitlines()[-1])
        few, many = peaks.values()
        yield Result(
            benchmark="study_memory",
            case=f"{large} volumes / {large // 10}",
            figure="peak memory, with table, JSON and report",
            values=(many / few,),
            bound=BOUND,
            at_most=True,
            detail=f"{many / 1e6:.0f} / {few / 1e6:.0f} MB",
        )


def measure(study: str, output: str, checkpoint: str) -> int:
    """In the child: grade, and say the peak."""
    from contextlib import redirect_stdout

    from memory import peak

    from MotionQALib import cli

    arguments = ["assess", study, "--checkpoint", checkpoint, "--device", "cpu"]
    for kind in ("csv", "json", "html"):
        arguments += [f"--{kind}", f"{output}.{kind}"]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        assert cli.main(arguments) == 0
    return peak()


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
