#!/bin/sh
# From claude-mem to Segue: its settings are read, written anew in Segue's form, and the agent is connected.
#
#   sh from-claude-mem.sh [SETTINGS-OF-CLAUDE-MEM]
#
# The old file is not touched; the daemon would also run on it as it is: segue serve --settings ~/.claude-mem/settings.json
set -eu
old=${1:-$HOME/.claude-mem/settings.json}
new=${SEGUE_SETTINGS:-${XDG_CONFIG_HOME:-$HOME/.config}/segue/settings.json}

# Says what is wrong (exit code 5), and which keys have no meaning here.
segue check "$old"
mkdir -p "$(dirname "$new")"
# A comment behind each value says where it came from. It never overwrites.
segue migrate --settings "$old" --out "$new"
segue check "$new"

cat <<END
Next, with claude-mem's own worker stopped and its hooks taken out of the agent:
  segue serve &
  segue connect claude-code
END
