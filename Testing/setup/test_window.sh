#!/bin/sh
# Run the tests of the window, each file in a process of its own: should Qt or VTK crash, the file
# is named and the others still run. Without torch, too, which Slicer's process never imports.
set -u
python="$1"
shift

if ! sh "$(dirname "$0")/window.sh" "$python"; then
    echo "FAILED: the tests of the window (Testing/host, Testing/Motion*Widgets) cannot run here." >&2
    exit 1
fi

QT_QPA_PLATFORM=offscreen
OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" # Slicer's side and the grading process share the cores
export QT_QPA_PLATFORM OMP_NUM_THREADS
said="$(mktemp)"
trap 'rm -f "$said"' EXIT
failed="" chosen="" passed=""
for file in $(find Testing/host Testing/Motion*Widgets -name 'test_*.py' | sort); do
    echo "$file"
    "$python" -m pytest -q "$file" "$@" >"$said" 2>&1
    status=$?
    cat "$said"
    grep -q '[0-9] passed' "$said" && passed=yes
    case $status in
    0) chosen=yes && continue ;;
    5) continue ;;     # "$@" chose none of its tests
    130) exit 130 ;;   # Ctrl+C
    esac
    [ $status -gt 128 ] && echo "CRASHED: $file, by signal $((status - 128))" >&2
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
