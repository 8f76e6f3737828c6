#!/bin/sh
# Check that the test host can draw here; name the system packages that are missing.
set -eu
python="$1"

QT_QPA_PLATFORM=offscreen VTK_DEFAULT_OPENGL_WINDOW=vtkEGLRenderWindow "$python" - 2>/dev/null <<'DRAW' && exit 0
import sys

import PySide6.QtWidgets
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderWindow

window = vtkRenderWindow()
if sys.platform == "linux":
    window.OffScreenRenderingOn()
    window.Render()
    sys.exit(not window.SupportsOpenGL())
DRAW

packages=$(tr '\n' ' ' <"$(dirname "$0")/libraries.txt")
echo "Qt or VTK lacks system libraries. On Debian or Ubuntu: apt-get install $packages" >&2
exit 1
