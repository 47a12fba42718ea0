#!/bin/sh
# Starts Envoy AI Gateway with the rules of config.yaml, for bench (see ../README.md).
#
# Source: https://github.com/envoyproxy/ai-gateway, Apache-2.0. Measured: v1.1.0, of 21 August 2026, built by
#   CGO_ENABLED=0 go build -o aigw ./cmd/aigw
# AIGW is that program, if it isn't on the PATH. Besides PORT it takes 1061, 1064, 9856 and 10088 of this machine.
#
# ITERATIONS is how often a session's key is hashed for each call: 100,000 by default, which takes longer than all
# else. A hundred are what its documentation names for a lower latency.
set -eu
here=$(dirname "$0")

# It looks for its Envoy where it would have downloaded it to: here that is the one of Sallyport.
version=$("$ENVOY" --version | sed -n 's|.*version: [0-9a-f]*/\([0-9.]*\)/.*|\1|p')
envoys="$RUN/.local/share/aigw/envoy-versions/$version/bin"
mkdir -p "$envoys"
ln -sf "$ENVOY" "$envoys/envoy"

# It puts these into config.yaml itself.
keys=$(tr -d '\n' <"$here/../keys.json")
upstream=${UPSTREAM%/mcp}
export HOME="$RUN" PORT UPSTREAM_PORT="${upstream##*:}" ENVOY_VERSION="$version" JWKS="$keys"

exec "${AIGW:-aigw}" run --mcp-session-encryption-iterations "${ITERATIONS:-100}" "$here/config.yaml"
