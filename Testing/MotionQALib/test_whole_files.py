import pytest

from MotionQALib.whole_files import copy_whole, replacing, write_whole


def test_what_fails_leaves_what_was_there_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.json"
    write_whole(path, "old")
    with pytest.raises(OSError, match="full"), replacing(path) as part:
        part.write_text("half of the n")
        raise OSError("the disk is full")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_text_keeps_its_line_ends_and_bytes_are_bytes(tmp_path):
    write_whole(tmp_path / "a.csv", "é\n")
    assert (tmp_path / "a.csv").read_bytes() == "é\n".encode()
    write_whole(str(tmp_path / "a.csv"), b"\r\n")
    assert (tmp_path / "a.csv").read_bytes() == b"\r\n"


def test_nobody_who_lists_a_folder_takes_what_is_being_written_for_a_checkpoint(tmp_path):
    with replacing(tmp_path / "a.safetensors") as part:
        part.write_bytes(b"half")
        assert list(tmp_path.glob("*.safetensors")) == []
        assert part.parent == tmp_path  # the same disk, so that it can be renamed


def test_a_copy_makes_its_folder_and_follows_a_link(tmp_path):
    source, target = tmp_path / "a.bin", tmp_path / "b" / "c.bin"
    source.write_bytes(b"1")
    copy_whole(source, target)
    assert target.read_bytes() == b"1"
    source.write_bytes(b"2")
    link = tmp_path / "link.bin"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system lets nobody make links")
    copy_whole(source, link)
    assert link.is_symlink() and target.read_bytes() == b"2"
