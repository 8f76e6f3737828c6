"""`motionqa` with a network that takes no time, and no torch: for tests that start and kill it.

    python Testing/quick_motionqa.py watch FOLDER …

Every slice is graded by its mean brightness, so that two programs agree on it. The environment
variable MOTIONQA_TEST_SECONDS makes a volume take so long.
"""

from __future__ import annotations

import os
import sys
import time
from types import ModuleType, SimpleNamespace

import numpy as np

from MotionQALib import checkpoints

CARD = checkpoints.Card(
    name="stand-in",
    title="A stand-in for tests",
    backbone="tf_efficientnet_lite0",
    preprocessing={},
    notice="a stand-in; not a medical device",
)


class AssessmentError(RuntimeError):
    pass


class Assessor:
    def __init__(self, checkpoint, **options) -> None:
        self.card = CARD
        self.device_reason = "A stand-in computes."
        self.device = SimpleNamespace(type="cpu")

    def assess(self, volume, **options):
        from MotionQALib.results import Assessment

        time.sleep(float(os.environ.get("MOTIONQA_TEST_SECONDS", "0")))
        bright = volume.voxels.mean(axis=(2, 3))
        scores = 1 + (bright.astype(int) % 5)
        probabilities = np.eye(5)[scores - 1] * 0.8 + 0.04
        return Assessment(
            volume=volume.name,
            source=None if volume.source is None else str(volume.source),
            identity=volume.identity,
            checkpoint=self.card.name,
            notice=self.card.notice,
            probabilities=probabilities,
            volume_probabilities=probabilities.mean(axis=(0, 1)),
            uncertain=np.zeros(scores.shape, bool),
            volume_uncertain=False,
            device="cpu",
            precision="fp32",
            seconds=0.0,
        )


def main() -> int:
    stand_in = ModuleType("MotionQALib.assessment")
    stand_in.Assessor, stand_in.AssessmentError = Assessor, AssessmentError
    stand_in.Cancelled = type("Cancelled", (Exception,), {})
    sys.modules["MotionQALib.assessment"] = stand_in
    checkpoints.resolve = checkpoints.read_card = lambda checkpoint: CARD
    from MotionQALib import cli
    from MotionQALib.arrivals import arrival_commands

    arrival_commands.LOOK = 0.1  # the tests' folders are on this machine's disk
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
