#!/bin/sh
# Follows what happens, one line an event, and goes on where it was when the connection or this script ends.
#
#   sh watch-events.sh [FILE]          FILE keeps the number of the last event; needs curl and jq
set -eu
url=${SEGUE_URL:-http://127.0.0.1:4747}
place=${1:-segue-last-event}
[ -s "$place" ] || echo 0 >"$place"

while :; do
  # The stream ends when the daemon stops or restarts; what was missed meanwhile comes first.
  curl -sSN -H "Last-Event-ID: $(cat "$place")" "$url/api/events?type=message.*,settings.*,daemon.*" |
    while IFS= read -r line; do
      case $line in
        'id: '*) id=${line#id: } ;;
        'event: '*) event=${line#event: } ;;
        'data: '*)
          # Pieces of a reply have no number, and are not told again.
          [ "$event" != message.delta ] || continue
          printf '%s' "${line#data: }" |
            jq -r --arg event "$event" '[.at, $event, .session // "-", (del(.at, .session) | tojson)] | @tsv'
          # In one step: an end at this very moment leaves the former number, and one line is told twice.
          echo "$id" >"$place.new"
          mv "$place.new" "$place"
          ;;
      esac
    done
  sleep 1
done
