"""Grades as a DICOM Structured Report (TID 1500), beside the series in the patient's record."""
