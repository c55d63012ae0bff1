#!/usr/bin/env bash
# Unpacks packages of a Debian into a folder, with what they depend on: `packages.sh DIR SUITE ARCHITECTURE PACKAGE...`.
# Nothing is installed, and nothing of the packages runs. apt checks their signatures, with lists of its own.
set -euo pipefail
root=$1 suite=$2 architecture=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,cache,packages}/partial
touch "$work/status"
# The machine's own way to its packages, whatever it is.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(SITE)' "Codename: $codename" | head -1)
if [ "$(. /etc/os-release && echo "$ID")" != debian ]; then
	echo "packages.sh: only a Debian knows where Debian's packages are" >&2
	exit 1
fi
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources.list"
cat >"$work/apt.conf" <<END
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Cache::archives "$work/packages";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Architecture "$architecture";
APT::Architectures "$architecture";
APT::Sandbox::User "root";
Acquire::Retries "3";
END
export APT_CONFIG=$work/apt.conf
echo "fetching ${*} of Debian $suite for $architecture (up to 270 MB)" >&2
apt-get update -qq
apt-get install -qq --yes --download-only --no-install-recommends "$@" >/dev/null
for package in "$work"/packages/*.deb; do
	dpkg-deb --extract "$package" "$root"
done
# What programs look up in /etc, among it how this machine's clients reach the registries and whom they trust.
for file in passwd group hosts nsswitch.conf resolv.conf pip.conf ssl/certs/ca-certificates.crt; do
	[ ! -e "/etc/$file" ] || install -D -m 644 "/etc/$file" "$root/etc/$file"
done
touch "$root" # The packages set its time; a cache takes old ones for unused.
