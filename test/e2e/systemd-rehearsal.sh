#!/bin/sh
# Run by systemd.test.ts in namespaces of its own, as root: a systemd user manager, and our units under it. Prints a
# line for each thing that was seen. $1 is the compiled program.
#
# Two lines of the unit for a whole machine are left out: DynamicUser is the system manager's alone, and ProtectHome
# would hide /run/user, where this manager keeps what its units are given.
set -u
for place in /run /srv /opt; do mount -t tmpfs tmpfs "$place"; done
# Without it systemd says that it was not booted.
mkdir -p /run/systemd/system /run/user/0 /srv/.local/bin
export HOME=/srv XDG_RUNTIME_DIR=/run/user/0 XDG_CONFIG_HOME=/srv/.config
units=$XDG_CONFIG_HOME/systemd/user
config=$XDG_CONFIG_HOME/segue
mkdir -p "$units" "$config"
cp "$1" /srv/.local/bin/segue
cp "$1" /opt/segue
PATH=/opt:$PATH
segue examples segue-user.service >"$units/segue.service"
segue examples segue.service |
  sed 's|/usr/local/bin/segue|/opt/segue|; /^DynamicUser=/d; /^ProtectHome=/d' >"$units/hardened.service"
/lib/systemd/systemd --user >/dev/null 2>&1 &
manager=$!

control() { systemctl --user "$@" 2>/dev/null; }
seen() { echo "$1: $(control show segue -P ActiveState) $(control show segue -P Result) restarts $(control show segue -P NRestarts)"; }
main_pid() { control show segue -P MainPID; }
# until_seen COMMAND...: waits for what happens, ten seconds at most.
until_seen() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || return 1
    sleep 0.05
  done
}
settings() { echo "{\"server\": {\"port\": 0}, \"provider\": \"slow\", \"providers\": {\"slow\": {\"kind\": \"echo\", \"model\": \"e\", \"delayMs\": $1}}}" >"$config/settings.json"; }
is_state() { [ "$(control show segue -P ActiveState)" = "$1" ]; }
is_other() { [ "$(main_pid)" != "$1" ] && is_state active; }
override() {
  mkdir -p "$units/segue.service.d"
  printf '[Service]\n%s\n' "$1" >"$units/segue.service.d/rehearsal.conf"
  control daemon-reload
}
is_busy() { [ "$(segue sessions --json 2>/dev/null | grep -c '"state":"busy"')" -gt 0 ]; }

settings 0
until_seen control daemon-reload
control start segue
seen started
control reload segue && seen reloaded
echo '{"turn": {"maxAttempts": 0}}' >"$config/settings.json"
control reload segue || seen "bad settings refused"

settings 2000
segue reload >/dev/null
segue send a hello >/dev/null
until_seen is_busy
kill -USR2 "$(main_pid)"
until_seen is_state reloading && seen "restarting in its process"
until_seen is_state active && seen "restarted in its process"

former=$(main_pid)
kill -KILL "$former"
until_seen is_other "$former" && seen killed

override WatchdogSec=1
control restart segue
former=$(main_pid)
kill -STOP "$former"
until_seen is_other "$former" && seen frozen

override TimeoutStopSec=1
control restart segue
segue send b hello >/dev/null
until_seen is_busy
control stop segue
seen stopped
rm -r "$units/segue.service.d"
control daemon-reload
control start segue
echo "its message: $(segue sessions b | sed -n 's/^turns *\([0-9]*\).*/\1/p') turn, $(segue sessions b | sed -n 's/^pending *//p')"
control stop segue

export SEGUE_DATA="$config/data"
echo '{"server": {"port": 0}}' >"$config/settings.json"
control start hardened
echo "hardened: $(control show hardened -P ActiveState), seccomp $(sed -n 's/^Seccomp:\t//p' "/proc/$(control show hardened -P MainPID)/status")"
segue set providers.command '{"argv": ["sh", "-c", "cat >/dev/null; touch /etc/segue-was-here 2>&1; mount -t tmpfs x /mnt 2>&1; true"]}' >/dev/null 2>&1
segue set provider command >/dev/null 2>&1
echo "its provider: $(segue send c hello --wait 10 | tr '\n' ' ')"
control reload hardened && echo "hardened: reloaded"
control stop hardened
echo "hardened: $(control show hardened -P ActiveState) $(control show hardened -P Result)"
kill "$manager"
wait "$manager"
rmdir /sys/fs/cgroup/systemd/app.slice /sys/fs/cgroup/systemd/init.scope 2>/dev/null
exit 0
