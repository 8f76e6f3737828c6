#!/bin/sh
# Make the environment ready for the window that stands in for Slicer's; exit status 1 where this
# machine cannot have it, with a sentence that says why.
set -u
python="$1"
here="$(dirname "$0")"

if ! "$python" -c 'import PySide6, SimpleITK, slicer, trame_slicer' 2>/dev/null &&
    ! "$python" -m pip install --quiet --editable ".[slicer]"; then
    echo "pip found no slicer-core or PySide6 for this Python and system." >&2
    exit 1
fi
sh "$here/check_libraries.sh" "$python"
