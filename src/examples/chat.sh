#!/bin/sh
# A chat from a shell: every line you type is a message of one session, and its reply is waited for.
#
#   sh chat.sh [SESSION]          needs curl and jq; with a server.token add: -H "Authorization: Bearer TOKEN"
#
# A line that is sent again because its answer got lost is still one message: its Idempotency-Key is the same.
set -eu
url=${SEGUE_URL:-http://127.0.0.1:4747}
session=${1:-chat}
run=$(date +%s)-$$
line_number=0

while IFS= read -r line; do
  [ -n "$line" ] || continue
  line_number=$((line_number + 1))
  # 200: it has ended; 202: it goes on without us, and its reply will stand in the session.
  answer=$(curl -sS --fail-with-body --retry 5 --retry-connrefused \
    -H 'Content-Type: text/plain' -H 'Prefer: wait=120' -H "Idempotency-Key: $run-$line_number" \
    --data-binary "$line" "$url/api/sessions/$session/messages") || {
    printf '%s\n' "$answer" >&2
    exit 1
  }
  printf '%s' "$answer" | jq -r '
    if .status == "done" then .reply
    elif .status == "failed" then "(failed: \(.error.message))"
    else "(message \(.id) is \(.status); see: segue sessions \(.session))" end'
done
