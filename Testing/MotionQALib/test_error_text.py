from MotionQALib.error_text import first_line, last_line, reason, sentence


def test_of_many_lines_the_first_is_said():
    error = RuntimeError("\n  CUDA error: no kernel.\nCompile with `TORCH_USE_CUDA_DSA`\n")
    assert first_line(error) == "CUDA error: no kernel."
    assert reason(error) == "CUDA error: no kernel"


def test_what_says_nothing_is_named_by_its_kind_or_as_the_caller_has_it():
    assert first_line(MemoryError()) == "MemoryError"
    assert reason(MemoryError(" \n"), "no reason given") == "no reason given"


def test_the_last_line_that_is_not_blank():
    assert last_line("Traceback\nValueError: bad \n\n") == "ValueError: bad"
    assert last_line(" \n", "nothing") == "nothing"


def test_a_sentence_is_one_line_and_names_the_file():
    assert sentence(ValueError("Two\n  lines.")) == "Two lines."
    assert sentence(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert sentence(FileNotFoundError(2, "No such file", "a.nii")) == "a.nii: No such file."
