"""A process that writes the DICOM report of a volume which a program has graded.

Its slices may count along the series or against it, as programs differ: they are found by where
they lie.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .. import protocol
from ..arrivals.arriving_series import ArrivingSeries
from ..arrivals.image_facts import FrameFacts, ImageFacts
from ..results import Assessment
from .messages import ReportWritten, WriteReport
from .report import ImageReference, ReportError, write_report


def write(request: WriteReport) -> ReportWritten:
    """Do what is asked. Raises ReportError, a sentence; OSError, ValueError."""
    from pydicom import dcmread

    assessment = Assessment.from_dict(request.assessment)
    series = ArrivingSeries(request.series_uid)
    for facts in _facts(request.files):
        if facts.series == request.series_uid:
            series.add(facts)
    if not series.images:
        raise ReportError("The series' images are not where they were; import the series again.")
    stack = in_order(series.stack(), request.places)
    references = [
        [ImageReference(f.sop_class, f.instance, f.frame_number) for f in s] for s in stack
    ]
    header = dcmread(series.paths[0], stop_before_pixels=True, force=True)
    write_report(request.output, header, references, assessment, card_of(assessment))
    return ReportWritten(output=request.output)


def in_order(
    stack: Sequence[list[FrameFacts]], places: Sequence[Sequence[float]]
) -> list[list[FrameFacts]]:
    """A series' slices in the order of the places; ReportError where one has no slice."""
    first = stack[0][0]
    if first.place is None or first.directions is None:
        if len(stack) == len(places):
            return list(stack)
        raise ReportError("The images do not tell where they lie, so no report can refer to them.")
    normal = np.cross(first.directions[:3], first.directions[3:])
    normal /= np.linalg.norm(normal)
    along = np.array([np.dot(frames[0].place, normal) for frames in stack])
    steps = np.diff(np.sort(along))
    limit = 0.25 * steps.min() if len(steps) else 1.0
    found = []
    for place in places:
        distances = abs(along - np.dot(place, normal))
        if distances.min() > limit:
            raise ReportError(
                "The volume's slices do not lie where the series' images lie; undo what moved or "
                "resampled the volume, or load the series again."
            )
        found.append(stack[int(distances.argmin())])
    return found


def _facts(files: Iterable[str]) -> Iterable[ImageFacts]:
    for file in files:
        try:
            yield ImageFacts.of_file(Path(file))
        except (ValueError, OSError):
            continue  # it holds no image, or has gone: the report says what is lacking


def card_of(assessment: Assessment):
    """Of the checkpoint that graded; what little the result says of it, where it is not installed
    any more."""
    from .. import checkpoints

    for entry in checkpoints.catalogue():
        if entry.card.name == assessment.checkpoint:
            return entry.card
    name = assessment.checkpoint
    return checkpoints.Card(name, name, "not known", {}, notice=assessment.notice)


def main() -> None:
    from ..privacy import silence_child
    from ..worker import own_streams

    silence_child()
    requests, events = own_streams()
    try:
        request = protocol.decode(requests.readline(protocol.LONGEST_LINE))
        answer: protocol.Message = write(request)
    except ReportError as error:
        answer = protocol.Failed(id=None, sentence=str(error))
    except OSError as error:
        text = f"The report could not be written: {error.strerror or error}."
        answer = protocol.Failed(id=None, sentence=text)
    except ModuleNotFoundError as error:
        text = f"The Python package {error.name} is not installed."
        answer = protocol.Failed(id=None, sentence=text, missing=error.name)
    except Exception as error:  # the user is told, whatever it is
        traceback.print_exc()
        text = f"The report could not be written ({type(error).__name__}: {error})."
        answer = protocol.Failed(id=None, sentence=text)
    events.write(answer.encode())
    events.flush()
    os._exit(0)
