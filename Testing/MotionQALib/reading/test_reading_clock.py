"""Active reading time leaves the time away out."""

from MotionQALib.reading.reading_clock import ReadingClock


class Time:
    now = 100.0

    def __call__(self):
        return self.now


def test_only_active_time_counts():
    time = Time()
    clock = ReadingClock(idle_after=60, now=time)
    assert clock.seconds == 0
    clock.start()
    for step, expected in ((10, 10), (50, 60), (3600, 120), (5, 125)):
        time.now += step
        assert clock.seconds == expected
        clock.touch()
    clock.pause()
    time.now += 30
    assert clock.seconds == 125
    clock.touch()
    time.now += 2
    assert clock.seconds == 127
    clock.start()
    assert clock.seconds == 0
