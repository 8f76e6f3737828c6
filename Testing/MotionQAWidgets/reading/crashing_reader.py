"""A reader whose Slicer is killed: run by a test in a process of its own.

Reads cases of a study with the keys, and says each score once the panel has called it saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

TESTING = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTING), str(TESTING.parent / "MotionQA")]

from host import pythonqt, start  # noqa: E402

pythonqt(__name__)


def main(folder: str, reader: str, *scores: str) -> None:
    # The tests' folders are namespaces; MotionQAWidgets without its tests is the product.
    sys.path.append(str(TESTING / "MotionQAWidgets"))
    from reading.reading_page import ReadingPage

    page = ReadingPage(start())
    assert page.open(folder, reader), page.message
    for score in scores:
        key = page.scoring.item.key
        page.press(score)
        assert page.saved.startswith("Saved"), page.saved
        print(key.case, key.repeat, score, flush=True)
        page.press("Space")
    page.host.process_events(600)  # until it is killed


if __name__ == "__main__":
    main(*sys.argv[1:])
