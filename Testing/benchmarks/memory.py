"""Peak memory of grading a large cine, above what the loaded model takes, on a CPU.

Each backbone is measured in a process of its own: what was once allocated is not always given
back, and would be counted again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

BOUND = 2.5


def run(options) -> Iterator:
    import inputs
    import torch
    from results import Result

    with TemporaryDirectory() as name:
        folder = Path(name)
        cine, small = inputs.cine(folder, options), inputs.volume(folder, options)
        for backbone in options.backbones:
            checkpoint = inputs.checkpoint(folder, backbone)
            arguments = [checkpoint, small, cine, str(torch.get_num_threads())]
            found = json.loads(subprocess.check_output([sys.executable, __file__, *arguments]))
            yield Result(
                benchmark="memory",
                case=backbone,
                figure=f"GB at peak above the model's, {found['shape']}",
                values=(found["peak"] / 1e9,),
                bound=BOUND,
                at_most=True,
                detail=f"{found['model'] / 1e9:.2f} GB with the model, {found['precision']}",
            )


def measure(checkpoint: str, small: str, cine: str, threads: str) -> dict[str, object]:
    """In the child: load, warm up on a small volume, forget that peak, grade the cine."""
    import torch

    from MotionQALib import volumes
    from MotionQALib.assessment import Assessor

    torch.set_num_threads(int(threads))
    assessor = Assessor(checkpoint, device="cpu")
    volume = volumes.read(small)
    assessor.run(volume, range(2), assessor.logits)
    before = resident()
    forget_peak()
    assessment = assessor.assess(volumes.read(cine))
    frames, slices = assessment.scores.shape
    return {
        "model": before,
        "peak": peak() - before,
        "precision": assessment.precision,
        "shape": f"{frames} frames × {slices} slices",
    }


def resident() -> int:
    """Bytes in memory now; where the system does not tell, the peak so far."""
    return status("VmRSS") or peak()


def peak() -> int:
    """Largest number of bytes in memory at once.

    Linux's getrusage would count the parent process's memory too, from before the child's start.
    """
    if found := status("VmHWM"):
        return found
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def forget_peak() -> None:
    """Start the peak anew, where the system can: loading may have taken more than grading."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        if os.name != "posix":
            raise


def status(key: str) -> int | None:
    """Bytes, from what Linux says about this process; None elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
