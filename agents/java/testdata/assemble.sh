#!/usr/bin/env bash
# Builds the application of the folder $2 for Java $3 in the folder $1: shop.jar, with the jars of its list. Where Spring's
# loader is among them, they are nested as its plugins nest them, else they lie beside shop.jar.
set -euo pipefail
dir=$1
app=$(cd "$2" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$here/fetch.sh" "$dir/lib" "$app/jars.txt"
javac -parameters -nowarn -Xlint:-options --release "$3" -d "$work/classes" -cp "$dir/lib/*" "$app"/*.java
loader=$(find "$dir/lib" -name 'spring-boot-loader-*.jar')
if [ -z "$loader" ]; then
	{
		printf 'Main-Class: shop.Shop\nClass-Path: .\n'
		cd "$dir"
		printf '  %s\n' lib/*.jar # A line that goes on begins with a space; the second one parts the names.
	} >"$work/manifest"
	jar --create --file "$dir/shop.jar" --manifest "$work/manifest" -C "$work/classes" .
	exit
fi
mkdir -p "$work/jar/BOOT-INF"
(cd "$work/jar" && jar --extract --file "$loader" org)
launcher=org.springframework.boot.loader.launch.JarLauncher
[ -e "$work/jar/${launcher//.//}.class" ] || launcher=org.springframework.boot.loader.JarLauncher # Before 3.2.
rm "$loader"
mv "$work/classes" "$work/jar/BOOT-INF/classes"
mv "$dir/lib" "$work/jar/BOOT-INF/lib"
cat >"$work/manifest" <<END
Main-Class: $launcher
Start-Class: shop.Shop
Spring-Boot-Classes: BOOT-INF/classes/
Spring-Boot-Lib: BOOT-INF/lib/
END
jar --create --no-compress --file "$dir/shop.jar" --manifest "$work/manifest" -C "$work/jar" . # Nested jars must be stored.
