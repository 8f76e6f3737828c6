"""Fixtures of widget tests: `from host.fixtures import *` in the folder's conftest.py."""

from __future__ import annotations

import sys
import traceback

import pytest

from .spelling import stray_attributes

__all__ = ["host", "slicer_host"]


@pytest.fixture(scope="session")
def slicer_host():
    """The host, started once a session; most tests want `host`."""
    from host import start

    running = start()
    yield running
    running.close()


@pytest.fixture
def host(slicer_host):
    """The host with an empty scene and no module entered.

    An exception in a slot or an observer, which Qt and VTK only print, fails the test; so does an
    attribute that Qt does not have, which Python would swallow and Slicer refuse.
    """
    raised: list[str] = []
    before = sys.excepthook
    sys.excepthook = lambda *e: raised.append("".join(traceback.format_exception(*e)))
    slicer_host.clear()
    slicer_host.raised = raised
    yield slicer_host
    slicer_host.clear()
    sys.excepthook = before
    strays = stray_attributes(slicer_host.qapplication.topLevelWidgets())
    assert not strays, f"Not Qt's attributes, so Slicer would refuse them: {strays}"
    assert not raised, "Raised in a slot or an observer:\n" + "\n".join(raised)
