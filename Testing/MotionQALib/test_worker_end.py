"""The end of the worker: its parent's doing, and nobody else's; it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from MotionQALib import protocol
from MotionQALib.protocol import Explain, Quit
from processes import SOON, alive

from .worker_child import FOLDER, Child

posix = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")


@pytest.mark.parametrize("how", ["end of input", "quit"])
def test_it_ends_when_told(child, how):
    child.next(protocol.Ready, seconds=SOON)  # most likely while torch is imported
    if how == "quit":
        child.send(Quit())
    else:
        child.process.stdin.close()
    assert child.ended() == 0


def test_it_ends_in_the_middle_of_grading_and_leaves_no_file(child, ask, tmp_path):
    output = tmp_path / "maps.npy"
    running, waiting = ask(400), ask(kind=Explain, positions=[0], output=str(output))
    child.send(running, waiting)
    child.next(protocol.Progress)
    child.process.stdin.close()
    assert child.ended() == 0
    assert list(tmp_path.iterdir()) == []


@posix
def test_killed_in_the_middle_of_grading_it_is_gone_and_a_new_one_works(child, ask):
    child.send(ask(400))
    child.next(protocol.Progress)
    child.process.kill()
    assert child.ended() == -signal.SIGKILL
    fresh = Child()
    try:
        fresh.send(request := ask())
        assert fresh.next(protocol.Result, protocol.Failed).id == request.id
    finally:
        fresh.close()


PARENT = """
import subprocess, sys
command = [sys.executable, "-m", "MotionQALib.worker", "cpu"]
worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
worker.stdin.write(sys.stdin.buffer.readline())
worker.stdin.flush()
print(worker.pid, flush=True)
for line in worker.stdout:
    print("heard", flush=True) if b'"Progress"' in line else None
"""


@posix
@pytest.mark.parametrize("stopped", [False, True])
def test_no_worker_outlives_a_killed_parent(ask, stopped):
    """In the middle of grading and, on Linux, even when it has been stopped."""
    if stopped and sys.platform != "linux":
        pytest.skip("only Linux ends a stopped process with its parent")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=FOLDER,
    )
    try:
        parent.stdin.write(ask(4000).encode())
        parent.stdin.flush()
        worker = int(parent.stdout.readline())
        assert parent.stdout.readline() == b"heard\n"
        assert alive(worker)
        if stopped:
            os.kill(worker, signal.SIGSTOP)
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + SOON
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)
