"""Fixtures of the reading tests."""

from __future__ import annotations

import pytest

from .reading_page import ReadingPage


@pytest.fixture
def page(host):
    page = ReadingPage(host)
    yield page
    if page.panel is not None:  # else the test has unloaded the module
        host.dialogs.answers = [True]
        page.panel.close_study()
        page.module.tabs.widget.currentIndex = 0
        page.clear_form()
