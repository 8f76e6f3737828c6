r"""`check` in a process of its own, for callers that must not wait: it answers in JSON lines.

    python -c "…; from MotionQATrainerLib.data import check_process; check_process.main(…)" \
        DATA [LABELS]

``{"done": 3, "total": 40}`` while images are read, then ``{"found": {…}}`` (`DataCheck.to_dict`;
for clean images ``{"clean": {"patients": 20, "systoles": 19}}``) or ``{"problem": "a sentence"}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> None:
    """Look at ``DATA LABELS``, or at clean images where labels are left out."""
    try:
        data, *labels = map(Path, arguments)
        _say(found=_labelled(data, labels[0])) if labels else _say(clean=_clean(data))
    except ModuleNotFoundError as error:
        _say(problem=f"The Python package {error.name} is missing.", missing=error.name)
    except (ValueError, RuntimeError, OSError) as error:
        from MotionQALib.error_text import sentence

        _say(problem=sentence(error))


def _labelled(data: Path, labels: Path) -> dict:
    from .check import check

    return check(data, labels, progress=lambda done, total: _say(done=done, total=total)).to_dict()


def _clean(data: Path) -> dict[str, int]:
    from .clean_patients import find_patients

    patients = find_patients(data)
    return {"patients": len(patients), "systoles": sum("ES" in p.phases for p in patients)}


def _say(**content) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()
