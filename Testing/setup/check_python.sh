#!/bin/sh
# Check that the Python named can build MotionQA's environment; say in one sentence what is missing.
set -eu
python="$1"

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "There is no $python. On Debian or Ubuntu: apt-get install python3 python3-venv"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    fail "$python does not run. Name another one, for example: make test PYTHON=python3.12"

case "$version" in
3.10 | 3.11 | 3.12 | 3.13) ;;
*) fail "MotionQA needs Python 3.10 to 3.13, and $python is $version. Name another one, for example: make test PYTHON=python3.12" ;;
esac

"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments. On Debian or Ubuntu: apt-get install python$version-venv"
