#!/usr/bin/env bash
# Builds the Java agent into the folder $1: upstream's jar with odi's classes in it. They lie among the agent's own
# rather than in its folder of extensions, which the agent would unpack to /tmp: many containers have none.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$1
version=2.33.1
name=opentelemetry-javaagent-$version.jar
cache=${XDG_CACHE_HOME:-$HOME/.cache}/odi/maven

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jar=$cache/$name
if [[ -e $jar ]]; then
	cp "$jar" "$work/$name"
else
	echo "fetching $name (26 MB)" >&2
	central=https://repo.maven.apache.org/maven2/io/opentelemetry/javaagent/opentelemetry-javaagent
	curl --fail --silent --show-error --location --retry 3 --output "$work/$name" "$central/$version/$name"
fi
(cd "$work" && sha256sum --check --quiet "$source/checksums.txt")
if [[ ! -e $jar ]]; then
	mkdir -p "$cache"
	cp "$work/$name" "$jar.$$" && mv "$jar.$$" "$jar"
fi

# The agent hides its classes by their ending; the compiler wants them as they were.
mkdir "$work/classes" "$work/add"
(cd "$work/classes" && jar xf "../$name" inst/io/opentelemetry/sdk inst/io/opentelemetry/javaagent/extension inst/META-INF/services io)
find "$work/classes/inst" -name '*.classdata' -exec sh -c 'for f; do mv "$f" "${f%data}"; done' sh {} +
javac --release 8 -Xlint:-options -nowarn -cp "$work/classes/inst:$work/classes" -d "$work/add/inst" "$source"/src/dev/odi/agent/*.java
find "$work/add/inst" -name '*.class' -exec sh -c 'for f; do mv "$f" "${f}data"; done' sh {} +

# service adds a class to those that the agent asks for.
service() {
	local file=inst/META-INF/services/$1
	mkdir -p "$work/add/${file%/*}"
	{ cat "$work/classes/$file"; printf '\n%s\n' "$2"; } >"$work/add/$file"
}
service io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizerProvider dev.odi.agent.Customizer
service io.opentelemetry.javaagent.extension.AgentListener dev.odi.agent.Started
service io.opentelemetry.javaagent.extension.ignore.IgnoredTypesConfigurer dev.odi.agent.Nothing
(cd "$work/add" && jar --update --file "../$name" --date 1980-01-01T00:00:02Z inst)

mkdir -p "$out/state"
cp "$work/$name" "$out/opentelemetry-javaagent.jar"
for state in alive failed unsupported own-sdk; do echo "$state" >"$out/state/$state"; done
