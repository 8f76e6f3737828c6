"""Two readers read a study from its beginning to the table of their agreement, and one crashes."""

from __future__ import annotations

import csv
import itertools
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from host import pythonqt
from MotionQALib.reading.cases import listed
from MotionQALib.reading.scores import read_scores
from MotionQALib.reading.study import Study

from .images import write_study
from .reading_page import make_study

pythonqt(__name__)
CASES = 20


def begin(host, page, tmp_path) -> Study:
    """Begin a study as a user does, in the form."""
    write_study(tmp_path / "images", CASES)
    ui = page.ui
    ui.readerLineEdit.text = "anna"
    ui.newButton.checked = True
    host.files.answers.append(str(tmp_path / "images"))
    ui.imagesButton.click()
    ui.repeatsSpinBox.value = 20
    ui.seedSpinBox.value = 7
    host.files.answers.append(str(tmp_path / "study"))
    ui.createButton.click()
    host.wait_until(lambda: page.scoring is not None)
    return Study.open(tmp_path / "study")


def quality(key: str, reader: str, repeat: int) -> int:
    """What a reader thinks of an image: near the truth, each in his or her own way."""
    number = int(key[-6:], 16)
    bias = {"anna": (0, 0, 0, 1), "ben": (0, 1, 0, -1, 2)}[reader]
    return min(5, max(1, 1 + number % 5 + bias[(number // 5 + repeat) % len(bias)]))


def read_all(page, reader: str) -> None:
    for _step in range(2 * CASES):
        if page.scoring.next_reading is None:
            return
        key = page.scoring.item.key
        if page.scoring.given is None:
            page.press(str(quality(key.case, reader, key.repeat)))
        page.press("Space")
    raise AssertionError("The list does not end")


def kappa(pairs: list[tuple[int, int]], power: int) -> float:
    """Cohen's weighted κ, straight from its definition."""
    n = len(pairs)
    apart = sum(abs(a - b) ** power for a, b in pairs) / n
    chance = sum(abs(a - b) ** power for (a, _), (_, b) in itertools.product(pairs, pairs))
    return 1 - apart / (chance / n**2)


def test_twenty_cases_two_readers_a_crash_and_their_agreement(host, page, tmp_path):
    study = begin(host, page, tmp_path)
    assert (study.level, study.repeats, study.seed, study.blinded) == ("volume", 0.2, 7, True)
    assert page.scoring.progress.total == CASES + 4 and page.ui.caseLabel.text == "Case 1"
    items = [reading[0] for reading in page.scoring.readings]
    page.panel.close_study()

    # Anna's Slicer is killed in the middle of her reading.
    first = [str(quality(i.key.case, "anna", i.key.repeat)) for i in items[:7]]
    program = Path(__file__).with_name("crashing_reader.py")
    command = [sys.executable, str(program), str(study.folder), "anna", *first]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = [child.stdout.readline().split() for _ in first]
    assert not page.open(study)  # nobody else gets at her scores meanwhile
    assert "open in another session" in page.message
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    # She goes on, corrects herself twice, and finishes.
    assert page.open(study), page.message
    saved = read_scores(study.scores_folder / "anna.jsonl").entries
    assert [(i.key.case, str(i.key.repeat)) for i in items[:7]] == [
        (key, repeat) for key, repeat, _score in told
    ]
    assert [str(saved[i.key].score) for i in items[:7]] == [score for *_, score in told] == first
    assert page.ui.caseLabel.text == "Case 8" and "7 of 24" in page.ui.progressBar.format
    page.press("1", "Space", "2")
    page.press("Z", control=True)
    page.press("Z", control=True)
    assert page.ui.caseLabel.text == "Case 8" and "7 of 24" in page.ui.progressBar.format
    read_all(page, "anna")
    assert page.scoring.session.finished
    page.panel.close_study()
    assert page.open(study, "ben")
    assert page.ui.caseLabel.text == "Case 1"  # in the same order, and without her scores
    assert [reading[0].key for reading in page.scoring.readings] == [i.key for i in items]
    read_all(page, "ben")

    # What the panel says of their agreement, computed once more.
    view = page.agreement
    view.button.click()
    logs = {name: read_scores(study.scores_folder / f"{name}.jsonl") for name in ("anna", "ben")}
    for name, log in logs.items():
        assert {p: e.score for p, e in log.entries.items()} == {
            i.key: quality(i.key.case, name, i.key.repeat) for i in items
        }
    firsts = [i.key for i in items if i.key.repeat == 0]
    pairs = [tuple(logs[name].entries[key].score for name in logs) for key in firsts]
    again = [i.key for i in items if i.key.repeat == 1]
    rows = {view.table.item(row, 0).text(): row for row in range(view.table.rowCount)}
    between, titles = rows["anna – ben"], list(range(view.table.columnCount))
    headers = [view.table.horizontalHeaderItem(column).text() for column in titles]
    cells = dict(zip(headers, (view.table.item(between, c).text() for c in titles), strict=True))
    assert cells["n"] == str(CASES)
    same = 100 * sum(a == b for a, b in pairs) / CASES
    for title, value in (
        ("Agreement, %", f"{same:.1f}"),
        ("Linear κ", f"{kappa(pairs, 1):.3f}"),
        ("Quadratic κ", f"{kappa(pairs, 2):.3f}"),
    ):
        assert cells[title].startswith(value), (title, value, cells[title])
    for name, log in logs.items():
        row = rows[f"{name}, first and second reading"]
        assert view.table.item(row, 1).text() == "4"
        twice = [(log.entries[p._replace(repeat=0)].score, log.entries[p].score) for p in again]
        equal = 100 * sum(a == b for a, b in twice) / len(twice)
        assert view.table.item(row, 2).text().startswith(f"{equal:.1f}")

    # The matrices are drawn, the disagreements lead to their cases.
    assert view.pictures.count() == 3
    far = [p for p, (a, b) in zip(firsts, pairs, strict=True) if abs(a - b) > 1]
    assert far
    assert view.far_apart.rowCount >= len(far)
    view.far_apart.cellClicked.emit(0, 0)
    assert page.ui.caseLabel.text == view.far_apart.item(0, 0).text()
    assert page.ui.caseLabel.text == view.report.disagreements[0].image  # no name
    host.files.answers.append(str(tmp_path / "report"))
    view.export.click()
    assert "Quadratic" in (tmp_path / "report.html").read_text("utf-8")

    # An adjudicator settles what they disagree on; others take it from there.
    consensus = page.adjudication
    consensus.start_button.click()
    button = page.button("unanimousButton")
    button.click()
    left = sum(a != b for a, b in pairs)
    assert f"{left} of {CASES} still to settle" in consensus.label.text
    consensus.buttons[3].click()
    assert page.badge(None) == ""  # her own score would lead her
    page.press("1")  # the keys settle, too, and leave the reader's own scores alone
    page.press("Z", control=True)
    assert f"{left - 1} of {CASES} still to settle" in consensus.label.text
    while consensus.items[consensus.table.currentRow()].settled is None:
        page.press("3")
    assert "All are settled" in consensus.label.text
    consensus.start_button.click()
    assert not consensus.content.visible
    assert read_scores(study.scores_folder / "ben.jsonl").entries == logs["ben"].entries
    files = {
        "exportLongButton": "long",
        "exportLabelsButton": "labels",
        "exportGradesButton": "IQA",
    }
    rows = {}
    for button, stem in files.items():
        host.files.answers.append(str(tmp_path / stem))
        page.button(button).click()
        with (tmp_path / f"{stem}.csv").open() as file:
            rows[stem] = list(csv.DictReader(file))
    assert len(rows["long"]) == 2 * len(items) + CASES
    settled = {a if a == b else 3 for a, b in pairs}
    assert {int(row["score"]) for row in rows["labels"]} == settled
    assert len(rows["IQA"]) == CASES and set(rows["IQA"][0]) >= {"Image", "Label"}


def test_a_list_tells_images_and_order(host, page, tmp_path):
    paths = write_study(tmp_path / "images", 3)
    table = tmp_path / "images" / "list.csv"
    rows = [f"{path.name},{number}" for number, path in enumerate(reversed(paths))]
    table.write_text("\n".join(("image,subject", *rows, "")))
    ui = page.ui
    ui.readerLineEdit.text = "anna"
    ui.newButton.checked = True
    ui.imagesComboBox.currentIndex = 1
    assert not ui.createButton.enabled  # nothing is chosen yet
    host.files.answers.append(str(table))
    ui.imagesButton.click()
    ui.levelComboBox.currentIndex = 1
    ui.orderComboBox.currentIndex = 1
    ui.repeatsSpinBox.value = 0
    ui.blindedCheckBox.checked = False
    host.files.answers.append(str(tmp_path / "study"))
    ui.createButton.click()
    host.wait_until(lambda: page.scoring is not None)
    names = [reading[0].case.name for reading in page.scoring.readings]
    assert names == [path.stem for path in reversed(paths)]
    assert page.panel.study.level == "slice" and len(page.scoring.readings[0]) == 3
    page.panel.close_study()
    host.files.answers.append(str(table))
    ui.newButton.checked = True
    ui.imagesButton.click()
    host.files.answers.append(str(tmp_path / "study"))
    ui.createButton.click()
    assert "holds a study already" in page.message


def test_images_are_added_later_and_keep_their_places(host, page, tmp_path):
    study = begin(host, page, tmp_path)
    page.press("4")
    done = [reading[0].key for reading in page.scoring.readings]
    write_study(tmp_path / "images", CASES + 3)
    host.files.answers.append(str(tmp_path / "images"))
    page.button("addFolderButton").click()
    host.wait_until(lambda: len(page.scoring.readings) > len(done))
    assert [reading[0].key for reading in page.scoring.readings[: len(done)]] == done
    assert page.ui.casesTable.rowCount == len(page.scoring.readings) >= CASES + 7
    assert page.scoring.given.score == 4 and page.ui.caseLabel.text == "Case 1"
    assert len(listed(tmp_path / "images")) == len({p.case for p in done}) + 3
    assert study.folder == page.panel.study.folder


def test_images_that_were_moved_are_found_again_with_their_scores(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    page.open(study)
    page.press("4", "Space")
    page.panel.close_study()
    (tmp_path / "images").rename(tmp_path / "archive")
    page.open(study)
    assert "Case 2 is not where it was" in page.message
    page.press("3")
    host.files.answers.append(str(tmp_path / "archive"))
    page.button("addFolderButton").click()
    host.wait_until(lambda: not page.panel.importing)
    assert page.message == "" and len(page.scoring.readings) == 3
    page.press("3", "Space", "2")
    scores = read_scores(study.scores_folder / "anna.jsonl").entries.values()
    assert [entry.score for entry in scores] == [4, 3, 2]


def test_volumes_in_the_scene_are_read_under_other_names(host, page, tmp_path):
    import slicer

    paths = write_study(tmp_path / "images", 3)
    nodes = [slicer.util.loadVolume(str(path)) for path in paths]
    ui = page.ui
    ui.readerLineEdit.text = "anna"
    ui.newButton.checked = True
    ui.imagesComboBox.currentIndex = 2
    host.files.answers.append(str(tmp_path / "study"))
    ui.createButton.click()
    host.wait_until(lambda: page.scoring is not None)
    shown = []
    for _case in range(3):
        node = page.node
        assert node not in nodes and node.GetName().startswith("Case ")
        shown.append(slicer.util.arrayFromVolume(node).copy())
        page.press("4", "Space")
    for node in nodes:
        voxels = slicer.util.arrayFromVolume(node)
        assert any(np.array_equal(voxels, other) for other in shown)
    page.panel.close_study()
    assert [node.GetName() for node in nodes] == [path.stem for path in paths]
    slicer.mrmlScene.RemoveNode(nodes[0])
    page.open(tmp_path / "study")
    states = [ui.casesTable.item(row, 1).text() for row in range(3)]
    assert states == ["4 · good"] * 3
