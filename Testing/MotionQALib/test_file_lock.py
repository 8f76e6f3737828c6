import os
import subprocess
import sys
from pathlib import Path

from MotionQALib import file_lock
from MotionQALib.file_lock import lock

HOLD = (
    "import os, sys; sys.path.insert(0, sys.argv[2]); from MotionQALib.file_lock import lock; "
    "print(lock(os.open(sys.argv[1], os.O_RDWR)), flush=True); sys.stdin.read()"
)


def test_a_lock_is_one_processs_and_ends_with_it(tmp_path):
    path = tmp_path / "lock"
    path.write_bytes(b"what others read")
    source = Path(file_lock.__file__).parents[1]
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, path, source], stdin=-1, stdout=-1, text=True
    )
    file = os.open(path, os.O_RDWR)
    try:
        assert other.stdout.readline().strip() == "True"
        assert lock(file) is False
        assert path.read_bytes() == b"what others read"
        other.kill()  # no farewell, as in a crash
        other.wait(10)
        assert lock(file) is True
    finally:
        other.kill()
        other.communicate()
        os.close(file)
