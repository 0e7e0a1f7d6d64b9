#!/bin/sh
# What happened in a repository, in a few sentences.
#
#   sh git-log.sh [FOLDER [SINCE]]          for instance: sh git-log.sh ~/project '1 week ago'
#
# The key is made of what is asked: the same log is summarised once, however often this runs; a script may give up
# waiting (exit code 7) and come back for the reply.
set -eu
folder=${1:-.}
since=${2:-1 week ago}

log=$(git -C "$folder" log --no-merges --since="$since" --date=short --format='%ad %an: %s%n%b' --stat)
[ -n "$log" ] || {
  echo "no commits since $since" >&2
  exit 0
}
# A session for each repository remembers what was summarised before.
name=$(basename "$(git -C "$folder" rev-parse --show-toplevel)" | tr -c 'A-Za-z0-9._\n-' '-')
key=$(printf '%s' "$log" | git hash-object --stdin)

{
  echo 'Summarise this git log in at most ten lines for somebody who was away: what changed, and what needs care.'
  echo
  printf '%s\n' "$log"
} | segue send "git-log:$name" - --key "$key" --wait 300
