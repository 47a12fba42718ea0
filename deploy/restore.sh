#!/bin/sh
# Restores what backup.sh has written, on a machine where Sallyport has never been started, or was removed with
# docker compose down --volumes. Put deploy/secrets and deploy/.env back first. What was ended, forgotten or changed
# after the backup is as it was: docs/operations.md says what to do about that. Examples:
#
#   deploy/restore.sh /var/backups/sallyport/2026-11-29
#   COMPOSE_FILE=compose.yaml:compose.tls.yaml deploy/restore.sh /var/backups/sallyport/today
#   COMPOSE_ENV_FILES=try.env deploy/restore.sh /tmp/tried
set -eu
fail() {
    echo "restore.sh: $*" >&2
    exit 1
}
case ${1:-} in
--help | -h)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit
    ;;
"" | -*) fail "name the folder of the backup; --help has examples." ;;
esac
test $# = 1 || fail "name one folder; --help has examples."
test -f "$1/SHA256SUMS" || fail "$1 has no whole backup: there is no SHA256SUMS in it."
folder=$(cd "$1" && pwd)
(cd "$folder" && sha256sum -c SHA256SUMS > /dev/null 2>&1) || fail "$folder isn't as backup.sh has written it: a file is missing or was changed. Take another backup."
cd "$(dirname "$0")"
test -s secrets/seal.key || fail "put the secrets that belong to this backup into $PWD/secrets first: without their seal.key nobody's sign-in can be opened."
# It may be another line by now.
while read -r key || test -n "$key"; do echo "$key" | sha256sum; done < secrets/seal.key | grep -qxF "$(cat "$folder/seal.key.sha256")" ||
    fail "$PWD/secrets/seal.key isn't the one of this backup: put the right one there, since nobody's sign-in can be opened with this one."
found=$(docker compose run --rm --no-deps -T --entrypoint ls redis -A < /dev/null) || fail "Redis' container doesn't start: Docker says above why."
test -z "$found" || fail "there is a Sallyport already. docker compose down --volumes removes it, with all its records."

again="Before you try again, remove what is there: docker compose down --volumes"

echo "Restoring Elasticsearch"
docker compose up --detach --wait elasticsearch
docker compose exec -T elasticsearch rm -rf snapshots/backup
docker compose cp - elasticsearch:/usr/share/elasticsearch/snapshots < "$folder/elasticsearch.tar"
docker compose exec -T elasticsearch bash /setup/snapshot.sh restore || fail "Elasticsearch isn't restored. $again"
docker compose exec -T elasticsearch bash /setup/snapshot.sh clear

# Redis reads its append-only files alone where it has them. Such a set may begin with a snapshot, and then have
# nothing else in it.
echo "Restoring Redis"
docker compose run --rm --no-deps -T --entrypoint sh redis -eu -c '
    mkdir appendonlydir
    cat > appendonlydir/appendonly.aof.1.base.rdb
    echo "file appendonly.aof.1.base.rdb seq 1 type b" > appendonlydir/appendonly.aof.manifest' < "$folder/redis.rdb"
docker compose up --detach --wait redis
test "$(docker compose exec -T redis redis-cli exists '{sallyport}:policy')" = 1 || fail "Redis has no policy: its log says what it has read. $again"

echo "Restored. Nothing runs but Redis and Elasticsearch: docs/operations.md says what the restore has undone, and how to start the rest."
