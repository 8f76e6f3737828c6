"""The rate of a batch, and what is left of it."""

from __future__ import annotations

from MotionQALib.batch_runs.work_rate import RECENT, WorkRate


def test_it_is_the_rate_of_the_last_volumes():
    rate = WorkRate(start=100.0)
    assert rate.per_minute is None and rate.seconds_left(10) is None
    rate.ended(103.0)
    assert rate.per_minute is None
    rate.ended(106.0)
    assert rate.per_minute == 20 and rate.seconds_left(10) == 30
    for number in range(RECENT):
        rate.ended(107.0 + number)
    assert round(rate.per_minute) == 60
