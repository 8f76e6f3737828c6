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
from .room import make_study

pythonqt(__name__)
CASES = 20


def begin(host, room, tmp_path) -> Study:
    """Begin a study as a user does, in the form."""
    write_study(tmp_path / "images", CASES)
    ui = room.ui
    ui.readerLineEdit.text = "anna"
    ui.newButton.checked = True
    host.files.answers.append(str(tmp_path / "images"))
    ui.imagesButton.click()
    ui.repeatsSpinBox.value = 20
    ui.seedSpinBox.value = 7
    host.files.answers.append(str(tmp_path / "study"))
    ui.createButton.click()
    host.wait_until(lambda: room.desk is not None)
    return Study.open(tmp_path / "study")


def quality(key: str, reader: str, repeat: int) -> int:
    """What a reader thinks of an image: near the truth, each in his or her own way."""
    number = int(key[-6:], 16)
    bias = {"anna": (0, 0, 0, 1), "ben": (0, 1, 0, -1, 2)}[reader]
    return min(5, max(1, 1 + number % 5 + bias[(number // 5 + repeat) % len(bias)]))


def read_all(room, reader: str) -> None:
    for _step in range(2 * CASES):
        if room.desk.next_visit is None:
            return
        place = room.desk.item.place
        if room.desk.given is None:
            room.press(str(quality(place.case, reader, place.repeat)))
        room.press("Space")
    raise AssertionError("The list does not end")


def kappa(pairs: list[tuple[int, int]], power: int) -> float:
    """Cohen's weighted κ, straight from its definition."""
    n = len(pairs)
    apart = sum(abs(a - b) ** power for a, b in pairs) / n
    chance = sum(abs(a - b) ** power for (a, _), (_, b) in itertools.product(pairs, pairs))
    return 1 - apart / (chance / n**2)


def test_twenty_cases_two_readers_a_crash_and_their_agreement(host, room, tmp_path):
    study = begin(host, room, tmp_path)
    assert (study.level, study.repeats, study.seed, study.blinded) == ("volume", 0.2, 7, True)
    assert room.desk.progress.total == CASES + 4 and room.ui.caseLabel.text == "Case 1"
    items = [visit[0] for visit in room.desk.visits]
    room.panel.close_study()

    # Anna's Slicer is killed in the middle of her reading.
    first = [str(quality(i.place.case, "anna", i.place.repeat)) for i in items[:7]]
    program = Path(__file__).with_name("crashing_reader.py")
    command = [sys.executable, str(program), str(study.folder), "anna", *first]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = [child.stdout.readline().split() for _ in first]
    assert not room.open(study)  # nobody else gets at her scores meanwhile
    assert "open in another session" in room.message
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    # She goes on, corrects herself twice, and finishes.
    assert room.open(study), room.message
    saved = read_scores(study.scores_folder / "anna.jsonl").entries
    assert [(i.place.case, str(i.place.repeat)) for i in items[:7]] == [
        (key, repeat) for key, repeat, _score in told
    ]
    assert [str(saved[i.place].score) for i in items[:7]] == [score for *_, score in told] == first
    assert room.ui.caseLabel.text == "Case 8" and "7 of 24" in room.ui.progressBar.format
    room.press("1", "Space", "2")
    room.press("Z", control=True)
    room.press("Z", control=True)
    assert room.ui.caseLabel.text == "Case 8" and "7 of 24" in room.ui.progressBar.format
    read_all(room, "anna")
    assert room.desk.session.finished
    room.panel.close_study()
    assert room.open(study, "ben")
    assert room.ui.caseLabel.text == "Case 1"  # in the same order, and without her scores
    assert [visit[0].place for visit in room.desk.visits] == [i.place for i in items]
    read_all(room, "ben")

    # What the panel says of their agreement, computed once more.
    view = room.panel.results.agreement
    view.button.click()
    logs = {name: read_scores(study.scores_folder / f"{name}.jsonl") for name in ("anna", "ben")}
    for name, log in logs.items():
        assert {p: e.score for p, e in log.entries.items()} == {
            i.place: quality(i.place.case, name, i.place.repeat) for i in items
        }
    firsts = [i.place for i in items if i.place.repeat == 0]
    pairs = [tuple(logs[name].entries[place].score for name in logs) for place in firsts]
    again = [i.place for i in items if i.place.repeat == 1]
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
    assert room.ui.caseLabel.text == view.far_apart.item(0, 0).text()
    assert room.desk.item.case.name == view._report.disagreements[0].image
    host.files.answers.append(str(tmp_path / "report"))
    view.export.click()
    assert "Quadratic" in (tmp_path / "report.html").read_text("utf-8")

    # An adjudicator settles what they disagree on; others take it from there.
    consensus = room.panel.results.consensus
    consensus.start_button.click()
    button = room.ui.consensusFrame.findChild(type(view.button), "unanimousButton")
    button.click()
    left = sum(a != b for a, b in pairs)
    assert f"{left} of {CASES} still to settle" in consensus.label.text
    consensus.buttons[3].click()
    assert room.panel.reading.display.badge(None) is None  # her own score would lead her
    room.press("1")  # the keys settle, too, and leave the reader's own scores alone
    room.press("Z", control=True)
    assert f"{left - 1} of {CASES} still to settle" in consensus.label.text
    while consensus.current.settled is None:
        room.press("3")
    assert "All are settled" in consensus.label.text
    consensus.start_button.click()
    assert not consensus.desk.visible
    assert read_scores(study.scores_folder / "ben.jsonl").entries == logs["ben"].entries
    files = {
        "exportLongButton": "long",
        "exportLabelsButton": "labels",
        "exportGradesButton": "IQA",
    }
    rows = {}
    for button, stem in files.items():
        host.files.answers.append(str(tmp_path / stem))
        room.ui.filesFrame.findChild(type(view.button), button).click()
        with (tmp_path / f"{stem}.csv").open() as file:
            rows[stem] = list(csv.DictReader(file))
    assert len(rows["long"]) == 2 * len(items) + CASES
    settled = {a if a == b else 3 for a, b in pairs}
    assert {int(row["score"]) for row in rows["labels"]} == settled
    assert len(rows["IQA"]) == CASES and set(rows["IQA"][0]) >= {"Image", "Label"}


def test_a_list_tells_images_and_order(host, room, tmp_path):
    paths = write_study(tmp_path / "images", 3)
    table = tmp_path / "images" / "list.csv"
    rows = [f"{path.name},{number}" for number, path in enumerate(reversed(paths))]
    table.write_text("\n".join(("image,subject", *rows, "")))
    ui = room.ui
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
    host.wait_until(lambda: room.desk is not None)
    names = [visit[0].case.name for visit in room.desk.visits]
    assert names == [path.stem for path in reversed(paths)]
    assert room.panel.study.level == "slice" and len(room.desk.visits[0]) == 3
    room.panel.close_study()
    host.files.answers.append(str(table))
    ui.newButton.checked = True
    ui.imagesButton.click()
    host.files.answers.append(str(tmp_path / "study"))
    ui.createButton.click()
    assert "holds a study already" in room.message


def test_images_are_added_later_and_keep_their_places(host, room, tmp_path):
    study = begin(host, room, tmp_path)
    room.press("4")
    done = [visit[0].place for visit in room.desk.visits]
    write_study(tmp_path / "images", CASES + 3)
    host.files.answers.append(str(tmp_path / "images"))
    room.ui.filesFrame.findChild(type(room.ui.openButton), "addFolderButton").click()
    host.wait_until(lambda: len(room.desk.visits) > len(done))
    assert [visit[0].place for visit in room.desk.visits[: len(done)]] == done
    assert room.ui.casesTable.rowCount == len(room.desk.visits) >= CASES + 7
    assert room.desk.given.score == 4 and room.ui.caseLabel.text == "Case 1"
    assert len(listed(tmp_path / "images")) == len({p.case for p in done}) + 3
    assert study.folder == room.panel.study.folder


def test_images_that_were_moved_are_found_again_with_their_scores(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    room.open(study)
    room.press("4", "Space")
    room.panel.close_study()
    (tmp_path / "images").rename(tmp_path / "archive")
    room.open(study)
    assert "Case 2 is not where it was" in room.message
    room.press("3")
    host.files.answers.append(str(tmp_path / "archive"))
    room.ui.filesFrame.findChild(type(room.ui.openButton), "addFolderButton").click()
    host.wait_until(lambda: room.panel._intake is None)
    assert room.message == "" and len(room.desk.visits) == 3
    room.press("3", "Space", "2")
    scores = read_scores(study.scores_folder / "anna.jsonl").entries.values()
    assert [entry.score for entry in scores] == [4, 3, 2]


def test_volumes_in_the_scene_are_read_under_other_names(host, room, tmp_path):
    import slicer

    paths = write_study(tmp_path / "images", 3)
    nodes = [slicer.util.loadVolume(str(path)) for path in paths]
    ui = room.ui
    ui.readerLineEdit.text = "anna"
    ui.newButton.checked = True
    ui.imagesComboBox.currentIndex = 2
    host.files.answers.append(str(tmp_path / "study"))
    ui.createButton.click()
    host.wait_until(lambda: room.desk is not None)
    shown = []
    for _case in range(3):
        node = room.panel.reading.stage.node
        assert node not in nodes and node.GetName().startswith("Case ")
        shown.append(slicer.util.arrayFromVolume(node).copy())
        room.press("4", "Space")
    for node in nodes:
        voxels = slicer.util.arrayFromVolume(node)
        assert any(np.array_equal(voxels, other) for other in shown)
    room.panel.close_study()
    assert [node.GetName() for node in nodes] == [path.stem for path in paths]
    slicer.mrmlScene.RemoveNode(nodes[0])
    room.open(tmp_path / "study")
    states = [ui.casesTable.item(row, 1).text() for row in range(3)]
    assert states == ["4 · good"] * 3
