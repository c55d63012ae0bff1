#!/usr/bin/env bash
# Fetches the jars of the list $2 into the folder $1, and checks them: `fetch.sh DIR LIST`. A list has checksums and
# the paths below Maven Central that a resolver found once.
set -euo pipefail
dir=$1
list=$2
central=https://repo.maven.apache.org/maven2
echo "fetching $(wc -l <"$list") jars" >&2
mkdir -p "$dir"
while read -r _ path; do
	printf 'url = "%s/%s"\noutput = "%s/%s"\n' "$central" "$path" "$dir" "${path##*/}"
done <"$list" | curl --fail --silent --show-error --no-progress-meter --location --retry 3 --parallel --parallel-max 8 --config -
(cd "$dir" && sed -E 's,  .*/,  ,' "$list" | sha256sum --check --quiet)
