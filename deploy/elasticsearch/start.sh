#!/bin/bash
# Writes the users of Elasticsearch, with the passwords of this moment, before it starts. They are in files (its file
# realm), so that what Compose was given holds, whatever is in the volume.
set -euo pipefail
cd /usr/share/elasticsearch

cp /setup/roles.yml config/roles.yml
: > config/users
: > config/users_roles
user() { # NAME ROLE
    elasticsearch-users useradd "$1" -p "$(< "/run/secrets/$1.password")" -r "$2"
}
user sallyport-accesslog sallyport-accesslog
user sallyport-admin sallyport-admin
user sallyport-reader sallyport-reader
user sallyport-setup sallyport-setup
user sallyport-backup sallyport-backup
# Elasticsearch's own role for Kibana.
user sallyport-kibana kibana_system

# For backup.sh.
mkdir -p snapshots

exec /bin/tini -- /usr/local/bin/docker-entrypoint.sh eswrapper
