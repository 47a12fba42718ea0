#!/bin/bash
# Loads sallyport.ndjson into Kibana, over what an older file put there. Compose runs it with each `up`.
set -euo pipefail

if ! answer=$(curl -sS --fail-with-body -K <(printf 'user = "sallyport-setup:%s"' "$(< /run/secrets/sallyport-setup.password)") \
    -X POST -H 'kbn-xsrf: true' --form file=@/setup/sallyport.ndjson 'http://kibana:5601/api/saved_objects/_import?overwrite=true'); then
    echo "loading the saved objects: $answer" >&2
    exit 1
fi
# Kibana answers 200 where some of them weren't taken, too.
if [[ $answer != *'"success":true'* ]]; then
    echo "some saved objects weren't taken: $answer" >&2
    exit 1
fi
echo "the saved objects are loaded"
