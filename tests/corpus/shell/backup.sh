#!/bin/sh
# Copies the database away. The password comes from a file that only we can read.
set -eu

SECRET_FILE="${SECRET_FILE:-/run/secrets/db}"
TOKEN_URL="https://auth.internal/token"
MAX_TOKENS=100

[ -r "$SECRET_FILE" ] || { echo "cannot read the password file $SECRET_FILE" >&2; exit 1; }
umask 077
config="$(mktemp)"
trap 'rm -f "$config"' EXIT
printf 'password = "%s"\n' "$(cat "$SECRET_FILE")" > "$config"
mysqldump --defaults-extra-file="$config" app > dump.sql
echo "the password has ${#SECRET_FILE} characters in its path, tokens: $MAX_TOKENS"
curl -sS --netrc-file "$config" -o /dev/null "$TOKEN_URL"
env -i PATH="$PATH" ./verify
