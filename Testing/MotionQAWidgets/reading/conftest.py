"""Fixtures of the reading tests."""

from __future__ import annotations

import pytest

from .room import Room


@pytest.fixture
def room(host):
    room = Room(host)
    yield room
    if room.panel is not None:  # else the test has unloaded the module
        host.dialogs.answers = [True]
        room.panel.close_study()
        room.module.tabs.widget.currentIndex = 0
        room.clear_form()
