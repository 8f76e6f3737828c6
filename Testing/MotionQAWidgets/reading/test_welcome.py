"""What the panel says where no study is open."""

from __future__ import annotations

import numpy as np

from host import pythonqt

from .images import heart

pythonqt(__name__)


def test_it_says_what_to_do_first_until_a_study_is_open(host, page, tmp_path):
    from .reading_page import make_study

    ui = page.ui
    assert ui.welcomeFrame.visible and ui.sampleStudyButton.enabled
    assert "New study…" in ui.welcomeLabel.text and "Open study…" in ui.welcomeLabel.text
    assert ui.welcomeLabel.text.count(". ") == 1  # two sentences
    page.open(make_study(tmp_path / "study"))
    assert not ui.welcomeFrame.visible
    ui.closeButton.click()
    assert ui.welcomeFrame.visible


def test_one_click_makes_a_study_of_the_sample_volumes_and_the_next_goes_on(
    host, page, monkeypatch, tmp_path
):
    import nibabel
    import slicer

    from MotionQAWidgets import sample_data

    made = []

    def make(folder):
        made.append(folder)
        folder.mkdir(parents=True)
        for seed, stem in enumerate(sample_data.samples().values()):
            image = nibabel.Nifti1Image(heart(seed).T, np.diag([1.5, 1.5, 8, 1]))
            nibabel.save(image, folder / f"{stem}.nii.gz")

    monkeypatch.setattr(slicer.app, "cachePath", str(tmp_path))
    monkeypatch.setattr(sample_data, "make", make)
    page.ui.readerLineEdit.text = "anna"
    page.ui.sampleStudyButton.click()
    host.wait_until(lambda: page.scoring is not None)
    assert len(page.scoring.readings) == 4
    page.press("3")
    page.ui.closeButton.click()
    page.ui.sampleStudyButton.click()
    host.wait_until(lambda: page.scoring is not None)
    assert [entry.score for entry in page.scoring.entries.values()] == [3] and len(made) == 1
    page.ui.closeButton.click()


def test_what_keeps_the_samples_from_being_made_is_said(host, page, monkeypatch, tmp_path):
    import slicer

    from MotionQAWidgets import sample_data

    monkeypatch.setattr(slicer.app, "cachePath", str(tmp_path))
    monkeypatch.setattr(sample_data, "make", lambda _folder: "No trainer is installed.")
    page.ui.sampleStudyButton.click()
    assert page.message == "No trainer is installed." and page.scoring is None
    assert page.ui.sampleStudyButton.enabled and page.ui.welcomeFrame.visible
