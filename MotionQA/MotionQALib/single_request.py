"""A process that answers one request, a line on its input, with a line on its output, and ends."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from . import protocol
from .privacy import silence_child
from .worker import own_streams


def answer_one(
    do: Callable[[Any], protocol.Message], told: type[Exception], failure: str
) -> NoReturn:
    """Serve the request.

    Parameters
    ----------
    do : makes the answer of a request, or raises
    told : an error whose text is a sentence for the user
    failure : how a sentence on any other error begins
    """
    silence_child()
    requests, events = own_streams()
    try:
        answer = do(protocol.decode(requests.readline(protocol.LONGEST_LINE)))
    except told as error:
        answer = protocol.Failed(id=None, sentence=str(error))
    except ModuleNotFoundError as error:
        text = f"The Python package {error.name} is not installed."
        answer = protocol.Failed(id=None, sentence=text, missing=error.name)
    except Exception as error:  # the user is told, whatever it is
        traceback.print_exc()
        text = f"{failure} ({type(error).__name__}: {error})."
        answer = protocol.Failed(id=None, sentence=text)
    events.write(answer.encode())
    events.flush()
    os._exit(0)
