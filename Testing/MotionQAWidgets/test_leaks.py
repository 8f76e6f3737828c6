"""Whatever the module takes of Slicer it gives back: when left, reloaded, unloaded, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host import pythonqt
from processes import LATE, SOON, alive, pid_of

from . import graded
from .held_resources import held_resources, more, of_views

pythonqt(__name__)


@pytest.fixture
def cine(host):
    """A cine in the views, of which the browser is observed too."""
    proxy, _browser = graded.cine()
    return proxy


@pytest.fixture
def module(host):
    """Loads the module, which no test has loaded before."""
    import slicer

    def unload():
        if slicer.app.moduleManager().isLoaded("MotionQA"):
            host.unload_module("MotionQA")

    unload()
    yield lambda: host.load_module("MotionQA").widgetRepresentation().self()
    unload()


def use(host, panel, volume) -> None:
    """As a user does: overlay, relevance map, table, slices looked at, another tab."""
    grading = panel.logic.grading
    panel.ui.volumeSelector.setCurrentNode(volume)
    scores = [(5, 3, 1)] * 4
    grading.results.store(volume, graded.assessment(scores))
    graded.scroll(1)
    panel.panel.results_view.next_button.click()
    panel.tabs.widget.currentIndex = 1
    host.process_events()
    panel.tabs.widget.currentIndex = 0
    host.process_events()


def settled(found: dict, *, process_kept: bool = False) -> dict:
    """Without what the module keeps for a minute after it was left: its process and its clocks."""
    if process_kept:
        found = {name: count for name, count in found.items() if name != "at work"}
    return found


def test_the_search_for_leaks_finds_them(host, cine):
    import qt
    import slicer
    import vtk

    before = held_resources(host)
    widget = slicer.app.layoutManager().sliceWidget("Red")
    renderer = widget.sliceView().renderWindow().GetRenderers().GetFirstRenderer()
    actor, timer = vtk.vtkTextActor(), qt.QTimer()
    subjects = (slicer.mrmlScene, widget.mrmlSliceNode(), cine)
    tags = [subject.AddObserver("ModifiedEvent", lambda *_: None) for subject in subjects]
    renderer.AddViewProp(actor)
    timer.start(60_000)
    shortcut = qt.QShortcut(qt.QKeySequence("9"), slicer.util.mainWindow())
    slicer.app.layoutManager().layoutChanged.connect(print)
    found = more(held_resources(host), before)
    for subject, tag in zip(subjects, tags, strict=True):
        subject.RemoveObserver(tag)
    renderer.RemoveViewProp(actor)
    timer.stop()
    shortcut.setParent(None)
    slicer.app.layoutManager().layoutChanged.disconnect(print)
    assert found == {
        "scene": {"observers": 1},
        "Red: slice node": {"observers": 1},
        f"node {cine.GetName()}": {"observers": 1},
        "Red: actors": {"vtkOpenGLTextActor": 1},
        "at work": {"timers": 1, "shortcuts": 1},
        "layout manager": {"layoutChanged(int)": 1},
    }
    assert more(held_resources(host), before) == {}


def test_left_it_observes_and_draws_nothing_in_the_views(host, cine, module):
    module()
    before = of_views()
    for _ in range(2):
        panel = host.enter("MotionQA")
        use(host, panel, cine)
        assert more(of_views(), before)  # it follows them while it is entered
        host.leave()
        assert more(of_views(), before) == {}


def test_entered_again_and_again_it_takes_no_more(host, cine, module):
    panel = host.enter("MotionQA")
    use(host, panel, cine)
    host.leave()
    once = settled(held_resources(host), process_kept=True)
    for _ in range(3):
        use(host, host.enter("MotionQA"), cine)
        host.leave()
    assert more(settled(held_resources(host), process_kept=True), once) == {}


@pytest.mark.parametrize("entered", [True, False])
def test_unloaded_it_leaves_nothing(host, cine, module, entered):
    held = [held_resources(host)]
    for _ in range(2):
        panel = host.enter("MotionQA")
        use(host, panel, cine)
        pid = pid_of(host, panel.logic.grading.worker)
        if not entered:
            host.leave()
        del panel
        host.unload_module("MotionQA")
        host.wait_until(lambda pid=pid: not alive(pid), seconds=SOON)
        held.append(held_resources(host))
    before, once, twice = held
    assert more({name: once[name] for name in before}, before) == {}
    assert more(twice, once) == {}  # the result's table, which stays, is among them


def test_reloaded_it_takes_no_more(host, cine, module):
    import slicer

    panel = host.enter("MotionQA")
    use(host, panel, cine)
    pid_of(host, panel.logic.grading.worker)
    once = held_resources(host)
    for _ in range(3):
        slicer.util.reloadScriptedModule("MotionQA")
        panel = slicer.util.getModuleWidget("MotionQA")
        use(host, panel, cine)
        pid_of(host, panel.logic.grading.worker)
    assert more(held_resources(host), once) == {}


def test_closing_the_scene_leaves_nothing_behind(host, cine, module):
    import slicer

    panel = host.enter("MotionQA")
    slicer.mrmlScene.Clear(False)
    host.process_events()
    once = settled(held_resources(host), process_kept=True)
    for _ in range(3):
        proxy, _browser = graded.cine()
        use(host, panel, proxy)
        slicer.mrmlScene.Clear(False)
        host.process_events()
    assert more(settled(held_resources(host), process_kept=True), once) == {}


KILLED = """
import host
running = host.start()
panel = running.enter("MotionQA")
worker = panel.logic.grading.worker
running.wait_until(lambda: worker._child and worker._child.pid, seconds=280)
print(worker._child.pid, flush=True)
running.process_events(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_slicer_killed_takes_the_grading_process_with_it():
    testing = Path(__file__).resolve().parents[1]
    slicer = subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=testing, stdout=subprocess.PIPE, text=True
    )
    try:
        worker = int(slicer.stdout.readline())
        assert alive(worker)
    finally:
        slicer.send_signal(signal.SIGKILL)
        slicer.wait(timeout=LATE)
        slicer.stdout.close()
    deadline = time.monotonic() + SOON
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)
