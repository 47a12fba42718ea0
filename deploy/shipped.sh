#!/bin/sh
# Runs a command on the programs that are shipped, each module's from its own folder, with the settings that they are
# built with: the same Go then makes the same bytes of them, on whatever machine and in whatever folder.
#
#   deploy/shipped.sh go build -o /out/
#   deploy/shipped.sh go list -deps
set -u
cd "$(dirname "$0")/.." || exit 1
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false -ldflags=-s"
code=0
"$@" ./services/authz/cmd/authz ./services/identity/cmd/identity ./services/accesslog/cmd/accesslog ./services/admin/cmd/admin || code=$?
cd tools || exit 1
"$@" ./sallyport ./atlassian ./envoyconf/cmd/envoyconf ./drain || code=$?
exit "$code"
