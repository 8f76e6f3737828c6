"""The coded concepts of a report: standard where there is one, else of a scheme of our own.

The private scheme is `SCHEME`; docs/dicom-report.md lists its codes, which never change meaning.
"""

from __future__ import annotations

from pydicom.sr.coding import Code

from ..scale import SCORE_WORDS, SCORES, Grade

SCHEME = "99MOTIONQA"

PROCEDURE = Code("241620005", "SCT", "MRI of heart")
HEART = Code("80891009", "SCT", "Heart")
ARTEFACT = Code("111207", "DCM", "Image artifact(s)")
RATING = Code("111029", "DCM", "Image Quality Rating")
SEVERITY = Code("246112005", "SCT", "Severity")
ANALYSIS = Code("133887000", "SCT", "Image quality analysis")
READER = Code("121008", "DCM", "Person Observer Name")

GRADES = {
    Grade.MILD: Code("255604002", "SCT", "Mild"),
    Grade.MODERATE: Code("6736007", "SCT", "Moderate"),
    Grade.SEVERE: Code("24484000", "SCT", "Severe"),
}

RATINGS = {
    score: Code(f"SCORE{score}", SCHEME, f"Score {score} of 5: {SCORE_WORDS[score]}")
    for score in SCORES
}
"""The Likert scale of CMRxMotion: no standard scheme has its five levels."""

EXPECTED_RATING = Code("EXPECTED", SCHEME, "Expected Image Quality Rating")
"""Mean of the five levels' probabilities, 1 to 5."""

MOTION = Code("MOTION", SCHEME, "Respiratory motion artefact")

CERTAINTY = Code("CERTAINTY", SCHEME, "Certainty of the rating")
UNCERTAIN = Code("64957009", "SCT", "Uncertain")

SCORE_UNIT = Code("{score}", "UCUM", "score")
"""Our unit is UCUM's annotation of the unity."""


def ours() -> dict[str, str]:
    """Our own codes and what they mean, for the documentation and its test."""
    codes = [*RATINGS.values(), EXPECTED_RATING, MOTION, CERTAINTY]
    return {code.value: code.meaning for code in codes}
