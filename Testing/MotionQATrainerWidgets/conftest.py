"""Tests of the trainer's window: they run in the host that stands in for Slicer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from host.fixtures import *  # noqa: F403

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def rated_set(tmp_path_factory) -> Path:
    """Folder of a small rated set with its IQA.csv; read only."""
    from rated import write_set

    return write_set(tmp_path_factory.mktemp("rated"))
