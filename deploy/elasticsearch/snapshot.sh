#!/bin/bash
# What backup.sh and restore.sh have Elasticsearch do, in its container. The snapshot is in the folder snapshots/backup:
#   snapshot.sh take       writes one of all records there
#   snapshot.sh restore    reads it, into an Elasticsearch without records
#   snapshot.sh clear      removes it
set -euo pipefail
cd /usr/share/elasticsearch

# ask fails with what Elasticsearch answers where that isn't as expected, by a regular expression.
ask() { # EXPECTED METHOD PATH [BODY]
    local answer
    answer=$(curl -sS -K <(printf 'user = "sallyport-backup:%s"' "$(< /run/secrets/sallyport-backup.password)") -X "$2" \
        -H 'content-type: application/json' -d "${4:-}" "http://localhost:9200/_snapshot/backup$3")
    [[ $answer =~ $1 ]] || { echo "Elasticsearch answers to $2 /_snapshot/backup$3 with: $answer" >&2; exit 1; }
}
register() { # READONLY
    ask '"acknowledged":true' PUT "" '{"type": "fs", "settings": {"location": "/usr/share/elasticsearch/snapshots/backup", "readonly": '"$1"'}}'
}
indices='{"indices": "sallyport-*", "include_global_state": false}'

case $1 in
take)
    register false
    ask '"state":"SUCCESS"' PUT "/all?wait_for_completion=true" "$indices"
    ;;
restore)
    register true
    ask '"failed":0' POST "/all/_restore?wait_for_completion=true" "$indices"
    ;;
clear)
    # One that is still being written is given up.
    ask '' DELETE /all
    ask '"acknowledged":true|repository_missing' DELETE ""
    rm -rf snapshots/backup
    ;;
esac
