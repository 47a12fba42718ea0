#!/usr/bin/env bash
# Builds what is shipped once more, from a copy of the tree in another folder and with a build cache of its own, and
# compares it with what is in bin/. Prints the SHA-256 of each file, to be held against those of a release.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
copy=$work/in/another/folder
mkdir -p "$copy"
git ls-files -z | xargs -0 cp --parents -t "$copy"
# What npm ci made is the same by the lock file's checksums; the pages are built from it anew.
cp -a services/console/node_modules "$copy/services/console/"
echo "Building once more, with an empty build cache (some minutes)" >&2
GOCACHE=$work/cache "$copy/deploy/shipped.sh" go build -o "$copy/bin/"
(cd "$copy/services/console" && npx vite build --logLevel warn)

# The console's files, and the programs that the copy has.
sums() {
	local programs
	programs=$(cd "$copy/bin" && find . -maxdepth 1 -type f)
	(cd "$1" && { echo "$programs"; find ./console -type f; } | LC_ALL=C sort | xargs sha256sum)
}
sums bin
if ! diff <(sums bin) <(sums "$copy/bin") >&2; then
	echo "What was built in $PWD isn't what was built elsewhere: the lines above differ." >&2
	exit 1
fi
echo "$(sums bin | wc -l) files are the same, byte for byte, built twice in two folders with $(go env GOVERSION)." >&2
