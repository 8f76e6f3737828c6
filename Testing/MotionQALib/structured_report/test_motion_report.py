"""DICOM reports: what they say, and that validators find no error in them."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("highdicom", reason="highdicom is missing: pip install 'motionqa[dicom]'")

from pydicom import dcmread
from pydicom.sr.codedict import codes

from cine_objects import series
from MotionQALib.checkpoints import Card
from MotionQALib.results import Override
from MotionQALib.structured_report import concepts
from MotionQALib.structured_report.motion_report import (
    ImageReference,
    ReportError,
    report_of,
    write_report,
)

CARD = Card(
    name="stub",
    title="For tests",
    backbone="tf_efficientnet_lite0",
    preprocessing={},
    notice="for tests; not a medical device",
)


@pytest.fixture
def images():
    return series(slices=3, phases=2)


@pytest.fixture
def references(images):
    found = [ImageReference(str(i.SOPClassUID), str(i.SOPInstanceUID)) for i in images]
    return [found[2 * s : 2 * s + 2] for s in range(3)]


@pytest.fixture
def graded(assessment_of):
    one = assessment_of(5, 3, 1)
    two = np.repeat(one.probabilities, 2, axis=0)
    doubt = np.array([[False, True, False]] * 2)
    said = (
        Override(0, 2, 4, "mild", "Dr. Ånna Müller", "2026-01-01T10:00:00+01:00"),
        Override(None, None, None, "moderate", "Li^=\\x", "2026-01-01T10:00:00+01:00"),
    )
    return replace(one, probabilities=two, uncertain=doubt, overrides=said)


@pytest.fixture
def file(tmp_path, images, references, graded):
    path = tmp_path / "report.dcm"
    write_report(path, images[0], references, graded, CARD)
    return path


def items(node, name=None):
    """All content items below a node, or those of one concept's meaning."""
    for item in node.get("ContentSequence") or []:
        concept = item.get("ConceptNameCodeSequence")
        if name is None or (concept and concept[0].CodeMeaning == name):
            yield item
        yield from items(item, name)


def groups(report):
    found = {}
    for group in items(report, "Measurement Group"):
        (name,) = items(group, "Tracking Identifier")
        found[name.TextValue] = group
    return found


def value(group, name):
    (item,) = items(group, name)
    return item.ConceptCodeSequence[0]


def test_each_slice_has_its_grade_and_refers_to_its_images(file, references):
    found = groups(dcmread(file))
    assert list(found) == [
        "slice 0", "slice 1", "slice 2", "volume", "slice 2 frame 0, reader", "volume, reader",
    ]  # fmt: skip
    for index, (score, grade) in enumerate([(5, "Mild"), (3, "Moderate"), (1, "Severe")]):
        group = found[f"slice {index}"]
        rating, severity = value(group, "Image Quality Rating"), value(group, "Severity")
        assert (rating.CodeValue, rating.CodingSchemeDesignator) == (f"SCORE{score}", "99MOTIONQA")
        assert (severity.CodeMeaning, severity.CodingSchemeDesignator) == (grade, "SCT")
        uids = {
            item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
            for item in items(group)
            if item.ValueType == "IMAGE"
        }
        assert uids == {image.sop_instance_uid for image in references[index]}
    doubted = [name for name in found if list(items(found[name], "Certainty of the rating"))]
    assert doubted == ["slice 1"]


def test_what_graded_is_named(file):
    group = groups(dcmread(file))["slice 0"]
    assert next(items(group, "Algorithm Name")).TextValue == "MotionQA"
    assert list(items(group, "Algorithm Version"))
    said = [item.TextValue for item in items(group, "Algorithm Parameters")]
    assert said == ["checkpoint stub", "backbone tf_efficientnet_lite0", CARD.notice]


def test_readers_stand_beside_the_network(file):
    found = groups(dcmread(file))
    mine = found["slice 2 frame 0, reader"]
    assert value(mine, "Image Quality Rating").CodeValue == "SCORE4"
    assert str(next(items(mine, "Person Observer Name")).PersonName) == "Dr. Ånna Müller^"
    assert not list(items(mine, "Algorithm Name"))
    assert value(found["slice 2"], "Image Quality Rating").CodeValue == "SCORE1"
    assert not list(items(found["volume, reader"], "Image Quality Rating"))


def test_it_belongs_to_the_patient_and_study_of_the_series(file, images):
    report = dcmread(file)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber"):
        assert report[keyword].value == images[0][keyword].value
    assert report.SeriesInstanceUID != images[0].SeriesInstanceUID
    assert report.Modality == "SR"


def test_the_same_grades_give_the_same_report(images, references, graded):
    first, again = (report_of(images[0], references, graded, CARD) for _ in range(2))
    other = report_of(images[0], references, replace(graded, overrides=()), CARD)
    assert first.SOPInstanceUID == again.SOPInstanceUID != other.SOPInstanceUID
    assert first.SeriesInstanceUID == again.SeriesInstanceUID


def test_a_multi_frame_object_is_referred_to_by_frame(images, graded):
    uid = str(images[0].SOPInstanceUID)
    held = [
        [ImageReference("1.2.840.10008.5.1.4.1.1.4.1", uid, 1 + 2 * s + f) for f in range(2)]
        for s in range(3)
    ]
    report = report_of(images[0], held, graded, CARD)
    group = groups(report)["slice 1"]
    (image,) = [item for item in items(group) if item.ValueType == "IMAGE"]
    assert list(image.ReferencedSOPSequence[0].ReferencedFrameNumber) == [3, 4]


def test_images_without_uids_are_refused(images, references, graded):
    nameless = [[ImageReference("", "") for _ in frames] for frames in references]
    with pytest.raises(ReportError, match="no UIDs"):
        report_of(images[0], nameless, graded, CARD)
    with pytest.raises(ReportError, match="do not match"):
        report_of(images[0], references[:2], graded, CARD)


def test_standard_codes_are_those_of_the_standard():
    assert codes.SCT.Heart == concepts.HEART
    assert codes.SCT.Severity == concepts.SEVERITY
    for grade, name in zip(concepts.GRADES, ("Mild", "Moderate", "Severe"), strict=True):
        assert concepts.GRADES[grade] == getattr(codes.SCT, name)
    assert codes.DCM.ImageQualityRating == concepts.RATING
    assert codes.DCM.ImageArtifacts == concepts.ARTEFACT
    assert codes.SCT.ImageQualityAnalysis == concepts.ANALYSIS
    assert codes.DCM.PersonObserverName == concepts.READER
    assert all(len(code) <= 16 and re.fullmatch("[A-Z0-9]+", code) for code in concepts.ours())


def test_dciodvfy_finds_no_error(file):
    dciodvfy = shutil.which("dciodvfy")
    if dciodvfy is None:
        pytest.skip("dciodvfy is missing: apt-get install dicom3tools")
    done = subprocess.run([dciodvfy, str(file)], capture_output=True, text=True, timeout=60)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert errors == []
    assert "ComprehensiveSR" in done.stderr
    broken = dcmread(file)
    del broken.ValueType
    broken.save_as(file)
    done = subprocess.run([dciodvfy, str(file)], capture_output=True, text=True, timeout=60)
    assert "Error" in done.stderr


def test_the_documentation_lists_our_codes():
    text = (Path(__file__).resolve().parents[3] / "docs" / "dicom-report.md").read_text("utf-8")
    for code, meaning in concepts.ours().items():
        assert f"| {code} | {meaning} |" in text


def test_dicom_validator_finds_no_error(file):
    """Against the standard itself, which dicom-validator downloads once."""
    validator = pytest.importorskip("dicom_validator.validate_iods")
    home = Path(os.environ.get("MOTIONQA_DICOM_STANDARD", Path.home() / "dicom-validator"))
    if not any(home.glob("*/docbook/part03.xml")) and not any(home.glob("*/json/iod_info.json")):
        pytest.skip(
            f"the DICOM standard is not in {home}: run `validate_iods` once where the network "
            "reaches dicom.nema.org, or name its folder in MOTIONQA_DICOM_STANDARD"
        )
    assert validator.main([str(file), "--standard-path", str(home), "--edition", "local"]) == 0
