"""CMake itself reads our lists, with a stand-in for Slicer's macros that notes and installs them.

What comes out is what the extension's package holds: one flat folder for both modules.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLAT = Path("lib/Slicer-5.12/qt-scripted-modules")

needed = ("cmake", "cc", "c++")
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, needed)), reason=f"not all of {', '.join(needed)} are installed"
)

CONFIG = """
set(Slicer_FOUND TRUE)
set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_LIST_DIR}/Describe.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_LIST_DIR}/Describe.cmake)
"""

USE = """
enable_testing()
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES"
    ${ARGN})
  if(MY_UNPARSED_ARGUMENTS OR NOT MY_NAME OR NOT MY_SCRIPTS)
    message(FATAL_ERROR "Not as Slicer wants it: ${ARGN}")
  endif()
  message(NOTICE "module ${MY_NAME} generic ${MY_WITH_GENERIC_TESTS}")
  foreach(file ${MY_SCRIPTS} ${MY_RESOURCES})
    get_filename_component(folder ${file} DIRECTORY)
    message(NOTICE "file ${MY_NAME} ${file}")
    install(FILES ${file} DESTINATION FLAT/${folder})
  endforeach()
endfunction()
function(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "SCRIPT;TESTNAME_PREFIX" "SLICER_ARGS" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${MY_SCRIPT})
    message(FATAL_ERROR "No such test: ${MY_SCRIPT}")
  endif()
  message(NOTICE "test ${MY_SCRIPT}")
endfunction()
""".replace("FLAT", FLAT.as_posix())

DESCRIBE = """
foreach(name HOMEPAGE CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  message(NOTICE "EXTENSION_${name}=${EXTENSION_${name}}")
endforeach()
"""

LOOK = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from MotionQALib import checkpoints, cli, worker
assert Path(worker.__file__).parents[1] == Path(sys.argv[1])
found = [p for folder in checkpoints.folders() for p in folder.glob(checkpoints.STARTER + ".*")]
assert any(Path(sys.argv[1]) in path.parents for path in found), found
import MotionQATrainerLib  # which makes the Sample Data module's volumes
assert Path(MotionQATrainerLib.__file__).parents[1] == Path(sys.argv[1])
assert not {"torch", "qt", "slicer"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> tuple[str, Path]:
    """What CMake said, and where it installed the extension to."""
    folder = tmp_path_factory.mktemp("build")
    parts = {"SlicerConfig.cmake": CONFIG, "UseSlicer.cmake": USE, "Describe.cmake": DESCRIBE}
    for name, text in parts.items():
        (folder / name).write_text(text)
    configure = ["cmake", "-S", ROOT, "-B", folder / "b", f"-DSlicer_DIR={folder}"]
    said = run(*configure, "-DBUILD_TESTING=ON", "--warn-uninitialized")
    run("cmake", "--install", folder / "b", "--prefix", folder / "installed")
    return said, folder / "installed" / FLAT


def run(*command) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_it_is_configured_without_a_warning(build):
    assert "Warning" not in build[0], build[0]


def test_each_module_brings_its_tests(build):
    modules = re.findall(r"^module (\w+) generic (\w+)$", build[0], re.M)
    assert ("MotionQA", "TRUE") in modules
    for name, generic in modules:
        assert generic == "TRUE" and f"test {name}.py\n" in build[0]


def test_modules_do_not_overwrite_each_other(build):
    files = re.findall(r"^file \w+ (.+)$", build[0], re.M)
    assert len(files) == len({name.lower() for name in files})  # Windows tells no case apart


def test_only_modules_lie_where_slicer_looks_for_modules(build):
    """Slicer takes every script beside a module for a module."""
    modules = re.findall(r"^module (\w+) ", build[0], re.M)
    assert {path.stem for path in build[1].glob("*.py")} == set(modules)


def test_the_installed_packages_find_each_other_and_the_starter(build):
    run(sys.executable, "-I", "-c", LOOK, build[1])


def test_the_description_holds_in_the_extension_index(build):
    told = dict(re.findall(r"^EXTENSION_(\w+)=(.*)$", build[0], re.M))
    assert all(told.values()) and ";" not in told["DESCRIPTION"]
    for name in ("HOMEPAGE", "ICONURL", "SCREENSHOTURLS"):
        assert all(url.startswith("https://") for url in told[name].split()), name
    icon = (ROOT / told["ICONURL"].split("/main/")[1]).read_bytes()
    assert icon[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(icon[at : at + 4], "big") for at in (16, 20)] == [128, 128]
