#!/bin/sh
# Starts ToolHive's virtual MCP server with the policies of config.yaml, for bench (see ../README.md).
#
# Source: https://github.com/stacklok/toolhive, Apache-2.0. Measured: v0.46.0, of 27 August 2026, built by
#   go install github.com/stacklok/toolhive/cmd/vmcp@v0.46.0
# VMCP is that program, if it isn't on the PATH.
set -eu
sed "s|@UPSTREAM@|$UPSTREAM|; s|@KEYS@|$KEYS|" "$(dirname "$0")/config.yaml" >"$RUN/config.yaml"
export HOME="$RUN"
exec "${VMCP:-vmcp}" serve --config "$RUN/config.yaml" --host 127.0.0.1 --port "$PORT"
