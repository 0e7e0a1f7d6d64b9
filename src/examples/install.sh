#!/bin/sh
# Installs Segue from the folder, or the https address, where its archives and SHA256SUMS lie.
#
#   sh install.sh [FROM]                  FROM is by default the folder of this script
#   PREFIX=/opt/segue sh install.sh       by default /usr/local for root, ~/.local for others
#
# What does not match its sum is not unpacked. A program that runs is replaced in one step and goes on as it was:
# `segue restart --upgrade` hands over to the new one.
set -eu

main() {
  from=${1:-$(dirname "$0")}
  prefix=${PREFIX:-$(default_prefix)}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM

  get "$from" SHA256SUMS
  machine=$(target)
  archive=$(archive_for "$machine")
  get "$from" "$archive"
  verify "$archive"

  tar -xzf "$work/$archive" -C "$work"
  unpacked=$work/${archive%.tar.gz}
  version=$("$unpacked/segue" version) || fail "this build does not run here (see above; Alpine needs libstdc++, x64 a processor with AVX2); nothing was installed"
  put_in_place "$unpacked"

  echo "Installed Segue $version as $prefix/bin/segue"
  case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) echo "$prefix/bin is not in your PATH yet." ;;
  esac
}

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

default_prefix() {
  if [ "$(id -u)" -eq 0 ]; then echo /usr/local; else echo "$HOME/.local"; fi
}

# What this machine is, as archives are named.
target() {
  case $(uname -m) in
    x86_64 | amd64) processor=x64 ;;
    aarch64 | arm64) processor=arm64 ;;
    *) fail "there is no build for the processor $(uname -m)" ;;
  esac
  case $(uname -s) in
    Darwin) echo "macos-$processor" ;;
    Linux) if is_musl; then echo "linux-$processor-musl"; else echo "linux-$processor"; fi ;;
    *) fail "there is no build for $(uname -s)" ;;
  esac
}

is_musl() {
  ! getconf GNU_LIBC_VERSION >/dev/null 2>&1 && ls /lib/ld-musl-*.so.1 >/dev/null 2>&1
}

# get FROM NAME: puts the file of this name into the work folder.
get() {
  case $1 in
    https://*) curl -fsSL --proto '=https' -o "$work/$2" "${1%/}/$2" || fail "$2 could not be fetched from $1" ;;
    *://*) fail "fetch over https, or from a folder" ;;
    *) cp "$1/$2" "$work/$2" || fail "there is no $2 in $1" ;;
  esac
}

archive_for() {
  found=$(sed -n "s/^[0-9a-f]\{64\}  \(segue-[0-9A-Za-z.+-]*-$1\.tar\.gz\)\$/\1/p" "$work/SHA256SUMS")
  # Versions begin with a digit: linux-x64 does not stand for linux-x64-musl, nor the other way round.
  [ -n "$found" ] || fail "SHA256SUMS names no archive for $1"
  [ "$(printf '%s\n' "$found" | wc -l)" -eq 1 ] || fail "SHA256SUMS names several archives for $1"
  echo "$found"
}

verify() {
  grep -F "  $1" "$work/SHA256SUMS" >"$work/sum"
  if command -v sha256sum >/dev/null; then
    (cd "$work" && sha256sum -c sum >/dev/null 2>&1) || fail "$1 does not match its sum; nothing was installed"
  elif command -v shasum >/dev/null; then
    (cd "$work" && shasum -a 256 -c sum >/dev/null 2>&1) || fail "$1 does not match its sum; nothing was installed"
  else
    fail "neither sha256sum nor shasum is here: the sum cannot be verified"
  fi
}

# put FILE PLACE MODE: in one step, so that a program that runs keeps its own.
put() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  mv "$2.new" "$2"
}

put_in_place() {
  put "$1/completions/segue.bash" "$prefix/share/bash-completion/completions/segue" 644
  put "$1/completions/_segue" "$prefix/share/zsh/site-functions/_segue" 644
  put "$1/completions/segue.fish" "$prefix/share/fish/vendor_completions.d/segue.fish" 644
  for file in README.md LICENSE THIRD-PARTY-NOTICES.md; do
    put "$1/$file" "$prefix/share/doc/segue/$file" 644
  done
  put "$1/segue" "$prefix/bin/segue" 755
}

# All of it has been read before any of it runs.
main "$@"
