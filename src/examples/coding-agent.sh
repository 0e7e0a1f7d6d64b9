#!/bin/sh
# Connects Claude Code: the agent tells Segue of its work, Segue summarises it, the next agent begins with that.
#
#   sh coding-agent.sh          run it where the daemon runs; `segue connect claude-code --remove` undoes it
set -eu

# Which provider follows the work, and that a daemon is there: exit code 6 where none answers.
echo "The work will be followed by: $(segue get provider)"
segue status >/dev/null

# Nothing under these folders is ever stored; add your own.
segue set agents.exclude '["~/private/**"]'

# Shows the change of the agent's settings.json, makes it, and makes none where it is connected already.
segue connect claude-code

cat <<'END'
Start an agent in a project, work, and let it come to rest. Then:
  segue memory            what was asked, done, decided and left open, newest first
  segue tail              what happens right now
END
