#!/bin/sh
# Run the tests of the window, each file in a process of its own: should Qt or VTK crash, the file
# is named and the others still run. Without torch, too, which Slicer's process never imports.
#   test_window.sh PYTHON [pytest's arguments]      JOBS files run at a time
set -u
python="$1"
shift
here="$(dirname "$0")"

if ! sh "$here/window.sh" "$python"; then
    echo "FAILED: the tests of the window (Testing/host, Testing/Motion*Widgets) cannot run here." >&2
    exit 1
fi

QT_QPA_PLATFORM=offscreen
OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" # Slicer's side and the grading process share the cores
export QT_QPA_PLATFORM OMP_NUM_THREADS
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
find Testing/host Testing/Motion*Widgets -name 'test_*.py' | sort |
    xargs -P "${JOBS:-1}" -I FILE sh "$here/test_window_file.sh" "$python" "$folder" FILE "$@" ||
    exit 130

failed="" chosen="" passed=""
grep -q '[0-9] passed' "$folder"/*.said && passed=yes
for result in "$folder"/*.status; do
    read -r status file <"$result"
    case $status in
    0) chosen=yes && continue ;;
    5) continue ;; # "$@" chose none of its tests
    esac
    [ "$status" -gt 128 ] && echo "CRASHED: $file, by signal $((status - 128))" >&2
    failed="$failed $file"
done
if [ -n "$failed" ]; then
    echo "FAILED:$failed" >&2
    exit 1
fi
if [ -n "$chosen" ] && [ -z "$passed" ]; then
    echo "FAILED: every test of the window was skipped." >&2
    exit 1
fi
