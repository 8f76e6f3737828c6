"""`make test-window` passes only where a test of the windows has passed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "setup" / "test_window.sh"
STAND_IN = """#!/bin/sh
case "$*" in
*"-m pytest"*) echo "$SAID"; exit "$STATUS" ;;
esac
exit "$READY"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sh")
@pytest.mark.parametrize(
    ("said", "status", "ready", "wanted"),
    [
        ("3 passed, 1 skipped in 0.1s", 0, 0, 0),
        ("4 skipped in 0.1s", 0, 0, 1),
        ("1 failed, 3 passed in 0.1s", 1, 0, 1),
        ("no tests ran in 0.1s", 5, 0, 0),  # others were asked for
        ("3 passed in 0.1s", 0, 1, 1),  # no window here
    ],
    ids=["passed", "all skipped", "failed", "none chosen", "no window"],
)
def test_it_fails_where_nothing_was_tested(said, status, ready, wanted, tmp_path):
    python = tmp_path / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    told = {"SAID": said, "STATUS": str(status), "READY": str(ready)}
    done = subprocess.run(
        ["sh", SCRIPT, python],
        cwd=SCRIPT.parents[2],
        env=os.environ | told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == wanted, done.stderr
    assert bool(wanted) == ("FAILED" in done.stderr)
