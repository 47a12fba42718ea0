#!/bin/sh
# Makes the secrets that compose.yaml gives to the services, those that aren't there yet, in deploy/secrets. What is
# sealed under seal.key is lost with it: keep a copy of the folder elsewhere.
#
# The folder is its owner's alone, so that nobody else on this host gets at the files. They can be read by all, since
# each is mounted by itself into containers whose users this host doesn't know.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets

make() {
    test -s "secrets/$1" && return
    value=$(shift; "$@")
    test -n "$value" || { echo "secrets.sh: $2 made nothing; is it installed?" >&2; exit 1; }
    printf '%s\n' "$value" > "secrets/$1"
    echo "made secrets/$1"
}

make seal.key openssl rand -base64 32
for name in admin.token kibana.key sallyport-accesslog.password sallyport-admin.password sallyport-backup.password sallyport-kibana.password sallyport-reader.password sallyport-setup.password; do
    make "$name" openssl rand -hex 32
done
# Yours to fill in; .env.example says when.
for name in jira.token alert.webhook; do
    test -e "secrets/$name" || : > "secrets/$name"
done
chmod 444 secrets/*
