#!/bin/sh
# Run one file of the window's tests in a process of its own; leave its output and its exit status
# in a folder, and print both at once, since other files run at the same time.
#   test_window_file.sh PYTHON FOLDER FILE [pytest's arguments]
set -u
python="$1" folder="$2" file="$3"
shift 3

name="$folder/$(echo "$file" | tr '/' '.')"
"$python" -m pytest -q "$file" "$@" >"$name.said" 2>&1
status=$?
echo "$status $file" >"$name.status"
{ echo "$file"; cat "$name.said"; }
[ $status -ne 130 ] || exit 255 # Ctrl+C: xargs starts no more
