import math
from xml.etree import ElementTree

from MotionQATrainerLib.evaluation.charts import lines, reliability


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter("text")]


def test_lines_have_a_point_a_number():
    svg = lines("Loss <1>", {"a": [(1, 2.0), (2, math.nan), (3, 1.0)], "b": [(1, 1.5)]}, "epoch")
    root = ElementTree.fromstring(svg)
    assert [len(p.get("points").split()) for p in root.iter("polyline")] == [2, 1]
    assert {"Loss <1>", "a", "b", "epoch"} <= set(texts(svg))
    xs = [float(c.get("cx")) for c in root.iter("circle")]
    assert xs[0] < xs[1] == 408.0
    assert lines("Empty", {"a": []}, "epoch") == ""


def test_reliability_puts_right_and_sure_at_the_top_right():
    points = [
        {"confidence": 0.5, "right": 0.5, "count": 50},
        {"confidence": 0.95, "right": 1.0, "count": 50},
    ]
    root = ElementTree.fromstring(reliability("R", points))
    (x1, y1), (x2, y2) = ((float(c.get("cx")), float(c.get("cy"))) for c in root.iter("circle"))
    assert x1 < x2
    assert y1 > y2 == 26.0
