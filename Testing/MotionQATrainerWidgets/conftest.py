"""Tests of the trainer's window: they run in the host that stands in for Slicer."""

from __future__ import annotations

from host.fixtures import *  # noqa: F403
