#!/bin/bash
# Makes the roles of this folder and a user for each, with the password from its file; run again, it changes what is
# another by now. Compose runs it with each `up`.
set -euo pipefail

ask() { # METHOD PATH BODY
    local answer
    if ! answer=$(curl -sS --fail-with-body -K <(printf 'user = "elastic:%s"' "$(< /run/secrets/elastic.password)") \
        -X "$1" -H 'content-type: application/json' --data-binary @- "http://elasticsearch:9200/_security/$2" <<< "$3"); then
        echo "$1 $2: $answer" >&2
        exit 1
    fi
}

user() { # NAME SECRET ROLE
    ask PUT "user/$1" "{\"password\": \"$(< "/run/secrets/$2")\", \"roles\": [\"$3\"]}"
    echo "user $1 has the role $3"
}

for role in accesslog admin reader; do
    ask PUT "role/sallyport-$role" "$(< "/setup/roles/$role.json")"
done
user sallyport-accesslog accesslog.password sallyport-accesslog
user sallyport-admin admin.password sallyport-admin
# People who look into Kibana.
user reader reader.password sallyport-reader
# Kibana's own.
ask POST user/kibana_system/_password "{\"password\": \"$(< /run/secrets/kibana.password)\"}"
