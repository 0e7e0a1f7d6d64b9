#!/bin/sh
# Puts a new key into a file that settings.json refers to, while the daemon runs:
#
#   "apiKey": "file:openrouter.key"
#
#   sh rotate-key.sh ~/.config/segue/openrouter.key <new-key
#
# Turns in flight end with the old key, every later one has the new one; sessions of other providers do not notice. The
# new key is tried by one turn first: where it is refused, no message fails, and `segue status` says so.
set -eu
file=$1

# Written beside it and moved into its place: at no moment is there half a key.
umask 077
trap 'rm -f "$file.new"' EXIT
cat >"$file.new"
[ -s "$file.new" ] || {
  echo "no key on standard input; $file is as it was" >&2
  exit 2
}
mv "$file.new" "$file"

# The daemon notices by itself, within two seconds or so. This returns once it has, and says what is wrong if anything.
segue reload
