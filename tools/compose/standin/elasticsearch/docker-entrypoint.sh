#!/bin/bash
# Does with the environment what the official image does: settings become arguments.
set -euo pipefail
settings=()
while IFS='=' read -r -d '' name value; do
    if [[ $name =~ ^[a-z0-9_]+(\.[a-z0-9_]+)+$ ]]; then settings+=("-E$name=$value"); fi
done < <(env -0)
exec elasticsearch "${settings[@]}"
