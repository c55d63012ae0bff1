#!/usr/bin/env bash
# Proves that a fresh machine suffices: installs a minimal Debian or Ubuntu of this machine's release
# into a folder, with the README's prerequisites and nothing else, and runs there what a newcomer
# runs, on a clone of HEAD: `hack/fresh.sh [COMMAND...]`. Packages come anew from the registries.
# Reused are this machine's kernel, its Go, Go's caches and what the repository's tools built from Go
# modules; COLD=1 does without any cache. Nothing is left. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ]; then
  echo "fresh: installing a system into a folder needs root" >&2
  exit 1
fi
hack/setup.sh debootstrap

if [ $# -eq 0 ]; then
  set -- "make test-unit" "go test -p 2 -timeout 20m ./bpf/... ./cli/run/... ./odiglet/..." "make try"
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/odi
mkdir -p "$cache/programs"
work=$(mktemp -d "$cache/fresh.XXXXXX")
root=$work/root

# clean ends what an interrupted command left in there, and removes it all. Its mounts are seen from inside only.
clean() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/root" || true)" != "$root" ] || kill -KILL "${process#/proc/}"
  done
  rm -rf --one-file-system "$work"
}
trap clean EXIT
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The machine's own way to its packages, whatever it is.
mirror=$(apt-get indextargets --format '$(SITE)' "Codename: $suite" | head -1)
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
[ -z "${http_proxy:-}" ] || export http_proxy
[ -z "${https_proxy:-}" ] || export https_proxy

echo "[fresh] installing a minimal $suite into $root (about 1 min)"
if ! debootstrap --variant=minbase --include=ca-certificates,git,make "$suite" "$root" ${mirror:+"$mirror"} >"$work/log" 2>&1; then
  tail -20 "$work/log" >&2
  exit 1
fi

# copy brings settings of this machine into the new one, where they exist: how its clients reach
# the registries and whom they trust.
copy() {
  local file
  for file in "$@"; do
    [ -e "$file" ] || continue
    mkdir -p "$root$(dirname "$file")"
    rm -rf "${root:?}$file"
    cp -aL "$file" "$root$file"
  done
}
rm -f "$root/etc/apt/sources.list"
copy /etc/apt/{sources.list,sources.list.d,apt.conf,apt.conf.d,preferences.d,auth.conf.d,keyrings,trusted.gpg,trusted.gpg.d}
copy /etc/{resolv.conf,hosts,pip.conf,npmrc} /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates
copy "$HOME"/{.npmrc,.netrc,.config/pip,.config/go,.cargo/config.toml}
git clone -q --no-hardlinks . "$root/root/odi"
git -C "$root/root/odi" checkout -q --detach "$(git rev-parse HEAD)"

goroot=$(go env GOROOT)
shared=()
[ -n "${COLD:-}" ] || shared=("$(go env GOCACHE)" "$(go env GOMODCACHE)" "$cache/programs")
{
  echo 'set -uo pipefail; cd /root/odi; failed=0'
  for command in "$@"; do
    printf 'echo; echo "[fresh] $ "%q; start=$SECONDS\n' "$command"
    printf 'if bash -c %q; then end=passed; else end=FAILED; failed=1; fi\n' "$command"
    echo 'echo "[fresh] $end after $((SECONDS - start)) s"'
  done
  echo 'exit $failed'
} >"$root/root/commands"

# inside mounts what a machine has into its root, in a mount namespace that goes with it, and runs the commands.
inside() {
  set -euo pipefail
  local place
  mount --bind "$root" "$root" # as on any machine, / is a mount: without that nobody can unshare his
  for place in /proc /sys /dev; do mount --rbind "$place" "$root$place"; done
  for place in "${shared[@]}" "$goroot"; do
    mkdir -p "$place" "$root$place"
    mount --bind "$place" "$root$place"
  done
  mount -o remount,bind,ro "$root$goroot"
  # The flags are make's. Results of tests that passed on this machine prove nothing there.
  exec chroot "$root" /usr/bin/env HOME=/root CGO_ENABLED=0 GOFLAGS="-trimpath -count=1" \
    PATH="$goroot/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" bash /root/commands
}
export root goroot
export -f inside
unshare --mount --propagation private bash -c "$(declare -p shared); inside"
