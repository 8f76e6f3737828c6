#!/bin/sh
# Check that the test host's windows can draw; name the system packages that are missing.
set -eu
python="$1"

QT_QPA_PLATFORM=offscreen "$python" -c \
    'import PySide6.QtWidgets, vtkmodules.vtkRenderingOpenGL2' 2>/dev/null && exit 0

packages=$(tr '\n' ' ' <"$(dirname "$0")/libraries.txt")
echo "Qt or VTK lacks system libraries. On Debian or Ubuntu: apt-get install $packages" >&2
exit 1
