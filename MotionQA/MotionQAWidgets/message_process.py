"""A child process that says messages of the protocol, and is told them."""

from __future__ import annotations

import logging

import MotionQALib
from MotionQALib import protocol
from MotionQALib.signals import Signal

from .child import ChildProcess

START = "import importlib; importlib.import_module(sys.argv[1]).main(*sys.argv[2:])"


class MessageProcess(ChildProcess):
    """Runs a module's `main` and tells its messages.

    Parameters
    ----------
    module : dotted, of MotionQALib
    arguments : of its `main`

    Signals
    -------
    received(Message)
    """

    def __init__(self, module: str, *arguments: str, program: str | None = None) -> None:
        self.received = Signal()
        super().__init__(START, module, *arguments, packages=[MotionQALib], program=program)

    def send(self, message: protocol.Message) -> None:
        self.write(message.encode())

    def _tell_line(self, line: bytes) -> None:
        try:
            message = protocol.decode(line)
        except protocol.ProtocolError as error:
            logging.warning("MotionQA's process: %s", error)
            return
        self._tell_message(message)

    def _tell_message(self, message: protocol.Message) -> None:
        self.received.emit(message)
