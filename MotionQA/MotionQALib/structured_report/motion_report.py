"""Writes the report; by highdicom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydicom import Dataset
from pydicom.uid import generate_uid

from ..results import Assessment, Override
from ..scale import Grade, grade_of
from ..version import version
from ..whole_files import replacing
from . import concepts

if TYPE_CHECKING:
    from ..checkpoints import Card

ROOT = "1.2.826.0.1.3680043.8.498."
"""Of UIDs made from content: the same grades of the same images give the same report."""

MANUFACTURER = "MotionQA contributors"

_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
    "StudyDate", "StudyTime", "ReferringPhysicianName",
)  # fmt: skip


class ReportError(RuntimeError):
    """No report can be made of these images; the message says why."""


@dataclass(frozen=True)
class ImageReference:
    """One stored image of the series; ``frame_number`` from 1 in a multi-frame object."""

    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int | None = None


def write_report(
    path: str | Path,
    header: Dataset,
    references: Sequence[Sequence[ImageReference | None]],
    assessment: Assessment,
    card: Card,
) -> None:
    """Write a report.

    Parameters
    ----------
    header : of any image of the series; patient and study are taken from it
    references : slices, in each its frames in order; None where the series lacks the image
    card : of the checkpoint that graded

    Raises
    ------
    ReportError : the images have no UIDs, as after some anonymisers
    OSError
    """
    report = report_of(header, references, assessment, card)
    with replacing(path) as part:
        report.save_as(part, enforce_file_format=True)


def report_of(
    header: Dataset,
    references: Sequence[Sequence[ImageReference | None]],
    assessment: Assessment,
    card: Card,
) -> Dataset:
    """The report as a data set; see `write_report`."""
    from highdicom.sr import ComprehensiveSR, MeasurementReport

    if (len(references), len(references[0])) != (assessment.n_slices, assessment.n_frames):
        raise ReportError("The images do not match the grades; grade the series again.")
    evidence = list(_evidence(header, references))
    uid = generate_uid(prefix=ROOT, entropy_srcs=[_content(references, assessment)])
    content = MeasurementReport(
        observation_context=_context(),
        procedure_reported=concepts.PROCEDURE,
        imaging_measurements=[
            *_groups(references, assessment, card),
            *_overrides(references, assessment),
        ],
    )
    number = int(header.get("SeriesNumber") or 0)
    report = ComprehensiveSR(
        evidence=evidence,
        content=content[0],
        series_instance_uid=generate_uid(prefix=ROOT, entropy_srcs=[uid, "series"]),
        series_number=9000 + number % 1000,
        sop_instance_uid=uid,
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        series_description="Respiratory motion (MotionQA)",
        manufacturer_model_name="MotionQA",
        software_versions=version(),
        device_serial_number="1",
    )
    if "SpecificCharacterSet" in header:
        report.SpecificCharacterSet = "ISO_IR 192"
    return report


def _content(references, assessment: Assessment) -> str:
    digest = hashlib.blake2b(digest_size=32)
    for frames in references:
        for image in frames:
            digest.update(repr(image).encode())
    digest.update(assessment.checkpoint.encode())
    digest.update(np.ascontiguousarray(assessment.probabilities.round(6)).tobytes())
    digest.update(repr(assessment.overrides).encode())
    return digest.hexdigest()


def _evidence(header: Dataset, references) -> Iterator[Dataset]:
    """A header an object, as highdicom takes patient, study and references from them."""
    base = Dataset()
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns", "Modality"):
        if keyword not in header:
            raise ReportError(f"The images have no {keyword}, so no report can refer to them.")
        setattr(base, keyword, header.get(keyword))
    for keyword in _EMPTY:
        setattr(base, keyword, header.get(keyword) or "")
    for keyword in ("SpecificCharacterSet", "PatientAge", "PatientSize", "PatientWeight"):
        if keyword in header:
            setattr(base, keyword, header.get(keyword))
    seen = set()
    for frames in references:
        for image in frames:
            if image is None or image.sop_instance_uid in seen:
                continue
            if not image.sop_class_uid or not image.sop_instance_uid:
                raise ReportError("The images have no UIDs, so no report can refer to them.")
            seen.add(image.sop_instance_uid)
            one = Dataset({element.tag: element for element in base})  # shared: nobody changes them
            one.SOPClassUID, one.SOPInstanceUID = image.sop_class_uid, image.sop_instance_uid
            yield one


def _context():
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        ObservationContext,
        ObserverContext,
    )
    from pydicom.sr.codedict import codes

    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                uid=generate_uid(prefix=ROOT, entropy_srcs=["MotionQA", version()]),
                name="MotionQA",
                manufacturer_name=MANUFACTURER,
                model_name=f"MotionQA {version()}",
            ),
        )
    )


def _groups(references, assessment: Assessment, card: Card) -> Iterator:
    """One of each slice, graded by its worst frame, then one of the volume."""
    frames = assessment.worst_frames
    scores = assessment.scores
    expected = assessment.expected_scores
    for index, images in enumerate(references):
        frame = int(frames[index])
        if not np.isfinite(assessment.probabilities[frame, index]).all():
            continue  # a blank slice has no grade
        yield _group(
            f"slice {index}",
            images,
            card,
            int(scores[frame, index]),
            float(expected[frame, index]),
            bool(assessment.uncertain[frame, index]),
        )
    worst = [images[int(frame)] for images, frame in zip(references, frames, strict=True)]
    yield _group(
        "volume",
        worst,
        card,
        assessment.volume_score,
        assessment.volume_expected_score,
        bool(assessment.volume_uncertain),
    )


def _group(name: str, images, card: Card, score: int, expected: float, uncertain: bool):
    from highdicom.sr import AlgorithmIdentification, Measurement, QualitativeEvaluation

    evaluations = _evaluations(score, grade_of(score))
    if uncertain:
        evaluations.append(QualitativeEvaluation(concepts.CERTAINTY, concepts.UNCERTAIN))
    return _measured(
        name,
        images,
        qualitative_evaluations=evaluations,
        measurements=[
            Measurement(concepts.EXPECTED_RATING, round(expected, 4), concepts.SCORE_UNIT)
        ],
        algorithm_id=AlgorithmIdentification(
            name="MotionQA",
            version=version(),
            parameters=[f"checkpoint {card.name}", f"backbone {card.backbone}", card.notice],
        ),
    )


def _overrides(references, assessment: Assessment) -> Iterator:
    """What readers think, beside the network's: a group of its own, with the reader's name."""
    from highdicom.sr.value_types import PnameContentItem, RelationshipTypeValues

    for override in assessment.overrides:
        group = _measured(
            f"{_named(override)}, reader",
            _images_of(override, references),
            qualitative_evaluations=_evaluations(override.score, _grade(override)),
            session=override.time,
        )
        group[0].ContentSequence.append(
            PnameContentItem(
                name=concepts.READER,
                value=_person(override.reader),
                relationship_type=RelationshipTypeValues.HAS_OBS_CONTEXT,
            )
        )
        yield group


def _measured(name: str, images, **more):
    from highdicom.sr import (
        FindingSite,
        MeasurementsAndQualitativeEvaluations,
        SourceImageForMeasurementGroup,
        TrackingIdentifier,
    )

    numbers: dict[tuple[str, str], list[int]] = {}
    for image in images:
        if image is not None:
            held = numbers.setdefault((image.sop_class_uid, image.sop_instance_uid), [])
            if image.frame_number is not None:
                held.append(image.frame_number)
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=generate_uid(prefix=ROOT, entropy_srcs=[name, *(key[1] for key in numbers)]),
            identifier=name,
        ),
        finding_category=concepts.ARTEFACT,
        finding_type=concepts.MOTION,
        method=concepts.ANALYSIS,
        finding_sites=[FindingSite(anatomic_location=concepts.HEART)],
        source_images=[
            SourceImageForMeasurementGroup(*key, referenced_frame_numbers=found or None)
            for key, found in numbers.items()
        ],
        **more,
    )


def _evaluations(score: int | None, grade: Grade) -> list:
    from highdicom.sr import QualitativeEvaluation

    found = [QualitativeEvaluation(concepts.SEVERITY, concepts.GRADES[grade])]
    if score is not None:
        found.insert(0, QualitativeEvaluation(concepts.RATING, concepts.RATINGS[score]))
    return found


def _images_of(override: Override, references):
    if override.slice is None:
        return [images[0] for images in references]
    images = references[override.slice]
    return images if override.frame is None else [images[override.frame]]


def _named(override: Override) -> str:
    if override.slice is None:
        return "volume"
    return f"slice {override.slice}" + (
        "" if override.frame is None else f" frame {override.frame}"
    )


def _grade(override: Override) -> Grade:
    return Grade[override.grade.upper()]


def _person(name: str) -> str:
    """A person's name as DICOM has it: no backslash and no sign that would part it."""
    kept = "".join(c if c.isprintable() and c not in "\\=^" else " " for c in name).strip()
    return f"{kept[:63] or 'reader'}^"  # one name, not to be taken apart
