#!/usr/bin/env bash
# Fills the folder $2 with what $1 needs: `make.sh java|python|nodejs DIR`. app holds the application, plain the plain
# agent that the OpenTelemetry Operator would inject, in the versions that odi's agent is made of.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
agents=$here/../../../agents
dir=$2
mkdir -p "$dir/app" "$dir/plain"

# packages runs npm on a copy of the lock file of the folder $1.
packages() {
	cp "$1"/package.json "$1"/package-lock.json "$2"
	npm --prefix "$2" ci --ignore-scripts --no-audit --no-fund --loglevel=error --cache "${XDG_CACHE_HOME:-$HOME/.cache}/odi/npm"
}

export PIP_ROOT_USER_ACTION=ignore
case $1 in
java)
	"$agents/java/testdata/assemble.sh" "$dir/app" "$agents/java/testdata/spring" 17
	"$agents/java/testdata/fetch.sh" "$dir/plain" "$here/jars.txt"
	;;
python)
	/usr/bin/python3 -m venv --without-pip "$dir/app/venv"
	/usr/bin/python3 -m pip --python "$dir/app/venv/bin/python" install --quiet -r "$agents/python/testdata/frameworks.txt"
	cp "$agents/python/testdata/apps/flask_app.py" "$dir/app"
	/usr/bin/python3 -m pip install --quiet --no-deps --require-hashes --target "$dir/plain" -r "$here/requirements.txt"
	;;
nodejs)
	packages "$agents/nodejs/testdata/apps" "$dir/app"
	cp "$agents/nodejs/testdata/apps/server.cjs" "$dir/app"
	mkdir "$dir/runtimes"
	packages "$agents/nodejs/testdata/runtimes" "$dir/runtimes"
	packages "$agents/nodejs/line-0.82" "$dir/plain"
	;;
esac
