"""One process at a time writes to an output; a second is told so before it grades anything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .file_lock import lock
from .whole_files import is_special


class OutputInUse(RuntimeError):  # noqa: N818  that is what is to be known
    """Another process writes there; the message says where."""


class OutputLock:
    """Holds outputs until `release` or the end of the process, however that ends.

    Parameters
    ----------
    outputs : files to write; a lock file lies beside each meanwhile. Pipes and devices need none,
        and a drive that knows no locks gives none.

    Raises
    ------
    OutputInUse, OSError
    """

    def __init__(self, outputs: Iterable[str | Path]) -> None:
        self._held: list[tuple[int, Path]] = []
        try:
            for output in outputs:
                if not is_special(Path(output)):
                    self._take(Path(output))
        except BaseException:
            self.release()
            raise

    def _take(self, output: Path) -> None:
        target = Path(os.path.realpath(output))
        path = target.with_name(f".{target.name}.lock")
        while True:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            if lock(file) is False:
                os.close(file)
                raise OutputInUse(
                    f"Another motionqa is writing {output}; wait for it to end, or name another "
                    "output."
                )
            if _same(file, path):
                self._held.append((file, path))
                return
            os.close(file)  # whoever held it has just removed it

    def release(self) -> None:
        for file, path in self._held:
            with suppress(OSError):
                path.unlink()
            with suppress(OSError):
                os.close(file)
        self._held = []

    def __enter__(self) -> OutputLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
