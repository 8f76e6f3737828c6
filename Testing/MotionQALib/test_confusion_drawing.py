from xml.etree import ElementTree

import numpy as np

from MotionQALib.confusion_drawing import confusion_svg

COUNTS = np.array([[3, 1], [0, 0]])


def texts(svg: str) -> list:
    return [element.text for element in ElementTree.fromstring(svg).iter("text")]


def test_counts_and_shares_of_the_rows_are_written():
    svg = confusion_svg(COUNTS, ["mild", "severe"], "labels", "<network>", of_rows=True)
    assert {"3 (75%)", "1 (25%)", "0 (0%)", "mild", "severe", "<network>"} <= set(texts(svg))


def test_of_two_raters_only_what_occurs_is_written_and_shaded():
    svg = confusion_svg(COUNTS, ["mild", "severe"], "anna", "ben")
    assert [text for text in texts(svg) if text.isdecimal()] == ["3", "1"]
    root = ElementTree.fromstring(svg)
    opacity = [float(r.get("fill-opacity")) for r in root.iter("rect") if r.get("fill-opacity")]
    assert len(opacity) == 2 and opacity[0] > opacity[1]
    assert root.find("title").text == "anna against ben: 3 of 4 equal"
