#!/bin/sh
# Backs up what compose.yaml keeps in Redis and Elasticsearch, while it runs, into a new folder. deploy/secrets and
# deploy/.env aren't in it: keep them somewhere else, since nobody's sign-in can be opened without seal.key.
# docs/operations.md says more. Examples:
#
#   deploy/backup.sh /var/backups/sallyport/2026-11-29
#   COMPOSE_FILE=compose.yaml:compose.tls.yaml deploy/backup.sh /var/backups/sallyport/today
#   COMPOSE_ENV_FILES=try.env deploy/backup.sh /tmp/tried
set -eu
umask 077
fail() {
    echo "backup.sh: $*" >&2
    exit 1
}
case ${1:-} in
--help | -h)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit
    ;;
"" | -*) fail "name the folder to back up into; --help has examples." ;;
esac
test $# = 1 || fail "name one folder; --help has examples."
mkdir -p "$1"
folder=$(cd "$1" && pwd)
test -z "$(ls -A "$folder")" || fail "$folder isn't empty: name a new folder."
chmod 700 "$folder"
cd "$(dirname "$0")"
test -s secrets/seal.key || fail "$PWD/secrets/seal.key isn't there, so this isn't where Sallyport runs."
running=$(docker compose ps --status running --services) || fail "Docker Compose says above why it doesn't know what is running."
for service in redis elasticsearch; do
    echo "$running" | grep -qx "$service" || fail "$service isn't running: start Sallyport and try again."
done
docker compose exec -T elasticsearch test -d snapshots ||
    fail "Elasticsearch was started by a version without backups: call secrets.sh and docker compose up -d, and try again."
docker compose exec -T elasticsearch mkdir snapshots/backup ||
    fail "another backup is under way. If there is none, since it was killed, remove what it left: docker compose exec elasticsearch bash /setup/snapshot.sh clear"
end() {
    test -e "$folder/SHA256SUMS" || rm -f "$folder/redis.rdb" "$folder/elasticsearch.tar" "$folder/seal.key.sha256"
    docker compose exec -T elasticsearch bash /setup/snapshot.sh clear
}
trap end EXIT
trap 'exit 1' HUP INT TERM

# By which restore.sh knows the key that seals.
while read -r key || test -n "$key"; do test -z "$key" || echo "$key" | sha256sum; done < secrets/seal.key | head -n 1 > "$folder/seal.key.sha256"

# Redis comes first: an entry leaves it when Elasticsearch has it, and so is in one of both, or in both, which makes
# one record. The other way round, what is indexed in between would be in neither.
echo "Backing up Redis"
docker compose exec -T redis sh -eu -c '
    rm -f dump.rdb
    until answer=$(redis-cli bgsave) && test "$answer" = "Background saving started"; do
        case $answer in
        *"in progress"* | *"child process"*) sleep 1 ;; # it writes another file just now
        *) echo "Redis answers to BGSAVE with: $answer" >&2; exit 1 ;;
        esac
    done
    while redis-cli info persistence | grep -q rdb_bgsave_in_progress:1; do sleep 1; done
    test -e dump.rdb || { echo "Redis could not write dump.rdb: its log says why." >&2; exit 1; }
    cat dump.rdb
    rm dump.rdb' > "$folder/redis.rdb" || fail "Redis isn't backed up."

echo "Backing up Elasticsearch"
docker compose exec -T elasticsearch bash /setup/snapshot.sh take || fail "Elasticsearch isn't backed up."
docker compose cp elasticsearch:/usr/share/elasticsearch/snapshots/backup - > "$folder/elasticsearch.tar" || fail "Elasticsearch isn't backed up."

(cd "$folder" && sha256sum redis.rdb elasticsearch.tar seal.key.sha256 > sums && mv sums SHA256SUMS)
echo "Backed up into $folder. Keep $PWD/secrets and your settings ($PWD/.env) as well, and not beside it."
