"""The grading process from Slicer's side, a real process: what it gives and what it survives."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from host import pythonqt
from MotionQALib import protocol
from processes import LATE, pid_of, wait_gone

pythonqt(__name__)
posix = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
SIGNALS = ("loaded", "progress", "result", "explained", "failed", "cancelled")
ENDS = ("result", "explained", "failed", "cancelled")


class Heard:
    """A WorkerProcess and what it has said: (signal, its values)."""

    def __init__(self, host):
        from MotionQAWidgets.worker_process import WorkerProcess

        self.host = host
        self.said: list[tuple] = []
        self.worker = WorkerProcess()
        for name in SIGNALS:
            getattr(self.worker, name).connect(self._keeper(name))

    def _keeper(self, name):
        return lambda *values: self.said.append((name, *values))

    def until(self, *names: str, number: int | None = None) -> tuple:
        """Run Qt until one of the signals, of that request, has come."""

        def found():
            of = [s for s in self.said if s[0] in names and number in (None, s[1])]
            return of[-1] if of else None

        try:
            self.host.wait_until(found, seconds=LATE)
        except AssertionError:
            child = self.worker.child
            log = [] if child is None else child.log
            pytest.fail(f"Heard {self.said}, not {names} of {number}; its log: {list(log)}")
        return found()

    def ends(self, number: int) -> list[str]:
        return [said[0] for said in self.said if said[0] in ENDS and said[1] == number]

    def pid(self) -> int:
        return pid_of(self.host, self.worker)


@pytest.fixture(scope="module")
def shared(slicer_host):
    """One for the tests that do its process no harm."""
    heard = Heard(slicer_host)
    yield heard
    heard.worker.dispose()


@pytest.fixture
def heard(host):
    """One of the test's own."""
    heard = Heard(host)
    yield heard
    pids = [heard.worker.child.pid] if heard.worker.running else []
    heard.worker.dispose()
    wait_gone(host, *pids)
    assert left_behind() == []


@pytest.fixture
def about(checkpoint_file):
    return {"name": "random", "checkpoint": checkpoint_file, "device": "cpu"}


SPACING = (8.0, 1.5, 1.5)


def voxels(slices: int = 3) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.integers(0, 900, (slices, 64, 72)).astype(np.int16)


def left_behind() -> list[Path]:
    import slicer

    return sorted(Path(slicer.app.temporaryPath).glob("motionqa-*"))


def test_it_grades(host, shared, about):
    number = shared.worker.assess(voxels(6), SPACING, **about)
    assert shared.worker.busy and shared.ends(number) == []
    _, _, assessment = shared.until("result", "failed", number=number)
    assert (assessment.volume, assessment.n_slices, assessment.device) == ("random", 6, "cpu")
    assert not shared.worker.busy
    assert shared.worker.device.device == "cpu"
    assert [s[1:] for s in shared.said if s[0] == "progress"] == [(number, 4, 6), (number, 6, 6)]
    assert left_behind() == []


def test_a_cine_comes_as_frames(host, shared, about):
    frames = [voxels(2), voxels(2)[::-1], voxels(2)]
    number = shared.worker.assess(frames, SPACING, **about)
    _, _, assessment = shared.until("result", "failed", number=number)
    assert assessment.probabilities.shape == (3, 2, 5)
    np.testing.assert_allclose(
        assessment.probabilities[0], assessment.probabilities[1, ::-1], atol=1e-3
    )


def test_the_card_comes_with_loading(host, shared, about):
    number = shared.worker.load(about["checkpoint"], "cpu")
    _, _, loaded = shared.until("loaded", "failed", number=number)
    assert loaded.card["title"] == "Random weights, for tests"


def test_it_explains(host, shared, about):
    number = shared.worker.explain(voxels(4), SPACING, np.array([0, 2]), **about)
    _, _, maps = shared.until("explained", "failed", number=number)
    assert maps.shape == (2, 64, 72) and 0 < maps.max() <= 1
    assert left_behind() == []


def test_maps_that_do_not_arrive_are_said_in_a_sentence(host, shared, about, monkeypatch):
    def missing(*_args, **_kwargs):
        raise FileNotFoundError("gone")

    monkeypatch.setattr(np, "load", missing)  # here alone, not in the other process
    number = shared.worker.explain(voxels(2), SPACING, [0], **about)
    assert "did not arrive (gone)" in shared.until("failed", "explained", number=number)[2]
    assert left_behind() == []


@pytest.mark.parametrize(
    ("given", "changed", "said"),
    [
        (np.zeros((2, 9, 9)), {}, "blank"),
        (np.zeros((2, 9, 9), complex), {}, "random cannot be graded"),
        (voxels(), {"checkpoint": "nowhere"}, "nowhere"),
        (voxels(), {"device": "abacus"}, "abacus"),
    ],
)
def test_what_cannot_be_graded_is_said_in_a_sentence(host, shared, about, given, changed, said):
    number = shared.worker.assess(given, SPACING, **{**about, **changed})
    assert shared.ends(number) == []  # not before its number is known
    _, _, sentence, missing = shared.until("failed", "result", number=number)
    assert said in sentence and sentence.endswith(".") and missing is None
    assert left_behind() == []


def test_no_room_for_the_voxels_is_said_in_a_sentence(host, shared, about, monkeypatch, tmp_path):
    import slicer

    monkeypatch.setattr(slicer.app, "temporaryPath", str(tmp_path / "missing"))
    number = shared.worker.assess(voxels(), SPACING, **about)
    assert "missing" in shared.until("failed", "result", number=number)[2]


def test_requests_wait_for_their_turn_and_can_be_cancelled(host, shared, about):
    first, second, third = (shared.worker.assess(voxels(12), SPACING, **about) for _ in range(3))
    shared.worker.cancel(second)
    shared.until("result", "failed", number=third)
    assert [shared.ends(n) for n in (first, second, third)] == [
        ["result"],
        ["cancelled"],
        ["result"],
    ]
    assert left_behind() == []


def test_cancelling_is_said_at_once_and_the_next_request_is_served(host, shared, about):
    number = shared.worker.assess(voxels(600), SPACING, **about)
    shared.until("progress", number=number)
    shared.worker.cancel()
    assert not shared.worker.busy
    host.process_events()
    assert shared.ends(number) == ["cancelled"]
    after = shared.worker.assess(voxels(), SPACING, **about)
    assert shared.until("result", "failed", number=after)[0] == "result"
    assert shared.ends(number) == ["cancelled"]
    assert left_behind() == []


def test_a_large_cine_does_not_keep_the_main_thread(host, shared, about):
    """Bounds that a busy machine keeps; `make bench ARGS=answering` measures."""
    frames = [np.zeros((12, 512, 512), np.int16) for _ in range(25)]  # 157 MB
    before = time.thread_time()
    number = shared.worker.assess(frames, SPACING, **about)
    assert time.thread_time() - before < 0.25
    longest, before = 0.0, time.thread_time()
    while "failed" not in shared.ends(number):  # it is blank
        host.qapplication.processEvents()
        longest, before = max(longest, time.thread_time() - before), time.thread_time()
    assert longest < 0.25
    assert left_behind() == []


@posix
def test_killed_while_grading_it_fails_in_a_sentence_and_the_next_click_works(host, heard, about):
    number = heard.worker.assess(voxels(600), SPACING, **about)
    waiting = heard.worker.assess(voxels(), SPACING, **about)
    heard.until("progress", number=number)
    killed = heard.pid()
    os.kill(killed, signal.SIGKILL)
    _, _, sentence, _ = heard.until("failed", number=number)
    assert "ended unexpectedly" in sentence
    assert heard.until("result", "failed", number=waiting)[0] == "result"
    assert heard.pid() != killed
    assert heard.ends(number) == ["failed"]


@posix
def test_killed_while_idle_it_comes_back_warm_and_silent(host, heard, about):
    heard.until("loaded", number=heard.worker.load(about["checkpoint"], "cpu"))
    os.kill(heard.pid(), signal.SIGKILL)
    host.wait_until(lambda: sum(s[0] == "loaded" for s in heard.said) == 2, seconds=LATE)
    assert [s for s in heard.said if s[0] != "loaded"] == []


@posix
def test_a_hang_ends_in_a_sentence_and_the_next_click_works(host, heard, about):
    number = heard.worker.assess(voxels(600), SPACING, **about)
    heard.until("progress", number=number)
    heard.worker.progress_limit = 1.0
    os.kill(heard.pid(), signal.SIGSTOP)
    _, _, sentence, _ = heard.until("failed", number=number)
    assert "hung" in sentence
    heard.worker.progress_limit = LATE
    after = heard.worker.assess(voxels(), SPACING, **about)
    assert heard.until("result", "failed", number=after)[0] == "result"


@posix
def test_what_does_not_stop_when_cancelled_is_ended(host, heard, about):
    number = heard.worker.assess(voxels(600), SPACING, **about)
    heard.until("progress", number=number)
    heard.worker.cancel_limit = 0.5
    stopped = heard.pid()
    os.kill(stopped, signal.SIGSTOP)
    heard.worker.cancel(number)
    after = heard.worker.assess(voxels(), SPACING, **about)
    assert heard.until("result", "failed", number=after)[0] == "result"
    assert heard.ends(number) == ["cancelled"]
    wait_gone(host, stopped)


def test_cancelling_while_it_starts_does_not_lose_the_start(host, heard, about):
    heard.worker.cancel_limit = 0.0
    number = heard.worker.assess(voxels(), SPACING, **about)
    host.wait_until(lambda: heard.worker.at_work_on == number, seconds=LATE)
    started = heard.worker.child
    assert not started.up  # torch is still imported
    heard.worker.cancel(number)
    host.wait_until(lambda: heard.worker.device is not None, seconds=LATE)
    assert heard.worker.child is started
    assert heard.ends(number) == ["cancelled"]


@pytest.mark.parametrize("leave", ["close", "quit"])
def test_closing_while_grading_leaves_no_process_no_file_and_is_quick(host, heard, about, leave):
    import slicer

    number = heard.worker.assess(voxels(600), SPACING, **about)
    heard.worker.assess(voxels(), SPACING, **about)
    heard.until("progress", number=number)
    pid, before = heard.pid(), time.thread_time()
    if leave == "close":
        heard.worker.close()
    else:
        slicer.app.aboutToQuit.emit()
    assert time.thread_time() - before < 0.25
    assert not heard.worker.running and not heard.worker.busy
    assert left_behind() == []
    wait_gone(host, pid)
    assert heard.ends(number) == []


@posix
def test_closing_ends_even_what_is_stopped(host, heard):
    heard.worker.start("cpu")
    pid = heard.pid()
    os.kill(pid, signal.SIGSTOP)
    heard.worker.close()
    wait_gone(host, pid)


def test_a_python_that_does_not_start_is_said_in_a_sentence(host, heard, about):
    heard.worker.programs = ["/nowhere/python"]
    number = heard.worker.assess(voxels(), SPACING, **about)
    _, _, sentence, _ = heard.until("failed", "result", number=number)
    assert "could not be started" in sentence and "/nowhere/python" in sentence


@posix
def test_a_python_that_does_not_work_is_replaced_by_the_next(host, heard, about):
    heard.worker.programs = ["/bin/false", sys.executable]
    number = heard.worker.assess(voxels(), SPACING, **about)
    assert heard.until("failed", "result", number=number)[0] == "result"


@posix
def test_killing_reaches_through_a_launcher(host, heard, tmp_path):
    """Slicer's PythonSlicer starts the true Python as its child and waits for it."""
    launcher = tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n')
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    heard.worker.programs = [str(launcher)]
    heard.worker.start("cpu")
    pid, launched = heard.pid(), heard.worker.child.launched
    assert pid != launched
    os.kill(pid, signal.SIGSTOP)
    heard.worker.close()
    wait_gone(host, pid, launched)


def test_a_missing_package_is_named(host, heard, about, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch', name='torch')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    number = heard.worker.assess(voxels(), SPACING, **about)
    _, _, sentence, missing = heard.until("failed", "result", number=number)
    assert missing == "torch" and "torch is not installed" in sentence


def test_a_worker_of_another_version_is_not_used(host, heard, about, monkeypatch):
    monkeypatch.setattr(protocol, "VERSION", 0)
    number = heard.worker.assess(voxels(), SPACING, **about)
    assert "restart Slicer" in heard.until("failed", "result", number=number)[2]


def test_its_modules_import_nothing_heavy():
    import subprocess

    import MotionQAWidgets

    code = (
        "import sys, types; sys.modules['qt'] = types.ModuleType('qt')\n"
        "sys.modules['slicer'] = slicer = types.ModuleType('slicer')\n"
        "sys.modules['slicer.i18n'] = i18n = types.ModuleType('slicer.i18n'); i18n.tr = str\n"
        "import MotionQAWidgets.worker_process\n"
        "sys.exit(bool({'torch', 'timm', 'safetensors'} & set(sys.modules)))"
    )
    folder = Path(MotionQAWidgets.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, timeout=60).returncode == 0
