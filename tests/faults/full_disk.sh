#!/usr/bin/env bash
# A real full disk: runs the word index example on ever larger tmpfs mounts (as root), then once more with room. Each run
# that meets the end of the disk must say so in one line, and what it had committed must be there afterwards.
#   tests/faults/full_disk.sh PGO [ROUNDS]
set -euo pipefail
pgo=$(realpath "$1") rounds=${2:-40}
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'mountpoint -q "$folder" && umount "$folder"; rmdir "$folder"; rm -rf "$texts"' EXIT
texts=$(mktemp -d)
mkdir "$texts/in"
for i in $(seq 60); do seq "$i" $((i * 37)) | sed "s/^/word/" >"$texts/in/$i.txt"; done
full=0
for round in $(seq "$rounds"); do
  mount -t tmpfs -o size=$((300 + round * 16))k none "$folder"
  status=0
  "$pgo" run --heap "$folder/a.pheap" "$here/examples/wordcount.pgo" "$texts/in" >"$texts/out" 2>"$texts/err" || status=$?
  if [ "$status" != 0 ]; then
    full=$((full + 1))
    [ "$status" -le 2 ] && grep -q "$folder/a.pheap" "$texts/err" && ! grep -q "panicked at" "$texts/err" ||
      { echo "round $round, status $status:"; cat "$texts/err"; exit 1; }
  fi
  mount -o remount,size=64m "$folder"
  "$pgo" run --heap "$folder/a.pheap" "$here/examples/wordcount.pgo" "$texts/in" >/dev/null
  "$pgo" run --heap "$folder/a.pheap" "$here/examples/wordcount.pgo" -digest >"$texts/digest"
  if [ -f "$texts/want" ]; then cmp "$texts/want" "$texts/digest"; else cp "$texts/digest" "$texts/want"; fi
  umount "$folder"
done
echo "$rounds rounds, the disk was full in $full of them; every heap was completed afterwards"
