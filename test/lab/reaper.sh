#!/bin/sh
# Removes what one lab left on this machine, when the lab is over or its owner died.
#
#   reaper.sh RUN_DIR      (standard input: a pipe whose other end only the owner holds)
#
# Standard input closes when the owner says so or is gone, kill -9 included. Only processes that the
# owner noted in RUN_DIR/processes are ended, each by its pid and its start time (field 22 of
# /proc/PID/stat), so that a pid that was given to another process since is left alone.
trap '' INT TERM HUP
run=$1
cat >/dev/null

if [ -f "$run/processes" ]; then
  while read -r pid born; do
    now=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)
    if [ -n "$born" ] && [ "$now" = "$born" ]; then
      kill -CONT "$pid" 2>/dev/null
      kill -KILL "$pid" 2>/dev/null
    fi
  done <"$run/processes"
fi
for link in $(cat "$run/links" 2>/dev/null); do
  ip link del "$link" 2>/dev/null
done
for space in $(cat "$run/namespaces" 2>/dev/null); do
  ip netns del "$space" 2>/dev/null
done
[ -f "$run/keep" ] || rm -rf "$run"
