"""What all processes of the modules have in common: nothing is lost, nothing blocks."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from host import pythonqt

pythonqt(__name__)
LATE = 60.0


@pytest.fixture
def start(host):
    import MotionQALib
    from MotionQAWidgets.child import ChildProcess

    children = []

    def started(code, *arguments, **options):
        child = ChildProcess(code, *arguments, packages=[MotionQALib], **options)
        children.append(child)
        heard = SimpleNamespace(child=child, lines=[], ends=[])
        child.line.connect(heard.lines.append)
        child.ended.connect(heard.ends.append)
        return heard

    yield started
    for child in children:
        child.kill()
    host.wait_until(lambda: left() == 0, seconds=LATE)


def left() -> int:
    """Processes that were told to end and have not."""
    import qt
    import shiboken6

    things = [t for t in shiboken6.getAllValidWrappers() if isinstance(t, qt.QProcess)]
    return sum(process.state() != qt.QProcess.NotRunning for process in things)


def test_every_line_is_told_before_the_end_and_our_packages_are_found(host, start):
    code = (
        "from MotionQALib import scale; print(*sys.argv[1:], *range(999), sep='\\n'); sys.exit(3)"
    )
    heard = start(code, "a b")
    host.wait_until(lambda: heard.ends, seconds=LATE)
    assert heard.lines == [b"a b", *(str(n).encode() for n in range(999))]
    assert heard.ends == [[]] and heard.child.status == 3 and not heard.child.running


def test_a_crash_tells_what_it_said_last(host, start):
    heard = start("print('last words', file=sys.stderr); raise SystemError('broken')")
    host.wait_until(lambda: heard.ends, seconds=LATE)
    assert heard.ends[0][0] == "last words" and heard.ends[0][-1] == "SystemError: broken"


def test_one_that_cannot_start_ends_too(host, start, tmp_path):
    heard = start("", program=str(tmp_path / "no-python"))
    host.wait_until(lambda: heard.ends, seconds=LATE)
    assert heard.ends[0] and heard.child.status is None


def test_it_reads_what_is_written(host, start):
    heard = start("print(sys.stdin.read())")
    heard.child.write(b"asked")
    heard.child.end_input()
    host.wait_until(lambda: heard.ends, seconds=LATE)
    assert heard.lines == [b"asked"]


@pytest.mark.parametrize("how", ["kill", "close"])
def test_what_is_ended_is_silent_and_keeps_nobody_waiting(host, start, how):
    heard = start("import time; print('up', flush=True); time.sleep(600)")
    host.wait_until(lambda: heard.lines, seconds=LATE)
    began = time.monotonic()
    getattr(heard.child, how)()
    assert time.monotonic() - began < 0.25, "Slicer's main thread was kept waiting"
    assert not heard.child.running
    host.wait_until(lambda: left() == 0, seconds=LATE)
    host.process_events(0.1)
    assert heard.ends == []


def test_whoever_hears_a_line_may_end_it_or_wait_in_a_dialog(host, start):
    heard = start("print('1'); print('2'); print('3')")
    heard.child.line.connect(lambda line: host.process_events(0.3) if line == b"1" else None)
    heard.child.line.connect(lambda line: heard.child.kill() if line == b"2" else None)
    host.wait_until(lambda: not heard.child.running, seconds=LATE)
    host.process_events(0.3)
    assert heard.lines == [b"1", b"2"] and heard.ends == []
