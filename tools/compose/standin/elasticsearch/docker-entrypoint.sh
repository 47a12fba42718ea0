#!/bin/bash
# Does with the environment what the official image does: settings become arguments, and the password goes into
# the keystore.
set -euo pipefail
settings=()
while IFS='=' read -r -d '' name value; do
    if [[ $name =~ ^[a-z0-9_]+(\.[a-z0-9_]+)+$ ]]; then settings+=("-E$name=$value"); fi
done < <(env -0)
test -f config/elasticsearch.keystore || elasticsearch-keystore create
elasticsearch-keystore add -x -f bootstrap.password <<< "$ELASTIC_PASSWORD"
exec elasticsearch "${settings[@]}"
