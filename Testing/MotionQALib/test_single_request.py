"""A process that answers one request: with a result, or with a sentence on what went wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from MotionQALib import protocol

CODE = """
import sys
from MotionQALib import protocol
from MotionQALib.single_request import answer_one

def do(request):
    print("a library that prints")
    {work}
    return protocol.Pong(id=request.id)

answer_one(do, KeyError, "It could not be done")
"""
PONG = protocol.Pong(id=3)


def failed(sentence: str, missing: str | None = None) -> protocol.Failed:
    return protocol.Failed(id=None, sentence=sentence, missing=missing)


@pytest.mark.parametrize(
    ("work", "line", "answer"),
    [
        ("pass", protocol.Ping(id=3).encode(), PONG),
        ("raise LookupError('gone')", protocol.Ping(id=3).encode(),
         failed("It could not be done (LookupError: gone).")),
        ("raise KeyError('Say so.')", protocol.Ping(id=3).encode(), failed("'Say so.'")),
        ("import no_such_package", protocol.Ping(id=3).encode(),
         failed("The Python package no_such_package is not installed.", "no_such_package")),
        ("pass", b"nonsense\n",
         failed("It could not be done (ProtocolError: This is no JSON: b'nonsense\\n'.).")),
    ],
)  # fmt: skip
def test_one_line_in_one_line_out(work, line, answer):
    code = CODE.format(work=work)
    ended = subprocess.run(
        [sys.executable, "-c", code], input=line, capture_output=True, timeout=60
    )
    assert protocol.decode(ended.stdout) == answer
    assert ended.returncode == 0 and ended.stdout.count(b"\n") == 1
