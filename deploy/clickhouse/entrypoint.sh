#!/bin/bash
# Starts ClickHouse with the hashes of the passwords in /run/secrets (or SECRETS, for tests), which users.xml reads from the environment.
# A password that is missing or short is an error, never an open door.
set -euo pipefail

hash_of() {
  local file="${SECRETS:-/run/secrets}/$1" password
  if [[ ! -r "$file" ]]; then
    echo "clickhouse: no readable $file: see docs/compose.md" >&2
    return 1
  fi
  password="$(tr -d '\r\n' <"$file")"
  if ((${#password} < 12)); then
    echo "clickhouse: the password in $file has less than 12 characters" >&2
    return 1
  fi
  printf %s "$password" | sha256sum | cut -d ' ' -f 1
}

for name in ribscope_migrate ribscope_writer ribscope_analyst ribscope_api grafana; do
  # Not in one with export, which would hide that it failed.
  hash="$(hash_of "clickhouse_${name}_password")"
  export "${name^^}_SHA256=$hash"
done
export CLICKHOUSE_SKIP_USER_SETUP=1
exec "${ENTRYPOINT:-/entrypoint.sh}" "$@"
