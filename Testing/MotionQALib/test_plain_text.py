import pytest

from MotionQALib.plain_text import is_plain, plain


@pytest.mark.parametrize("text", ["", "Jürgen, 心脏 ❤ e\u0301", "P001-1-ED (2)", "a\u200cb"])
def test_letters_of_all_scripts_are_plain(text):
    assert is_plain(text)
    assert plain(text) == text


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\nb", "\x9b1m", "a\u202eb", "a\u2066b", "\0", "a\u2028b", "\ud800"]
)
def test_what_steers_is_written_out(text):
    assert not is_plain(text)
    assert is_plain(plain(text))


def test_ends_of_lines_may_stay():
    assert plain("a\nb\x1b", keep="\n") == "a\nb\\x1b"
