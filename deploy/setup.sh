#!/bin/sh
# Makes what `docker compose up` asks for and nobody can ship: passwords, a Kafka cluster id, an empty fabric.yaml.
# What is there stays as it is: run it again whenever something is missing.
set -eu
cd "${1:-$(dirname "$0")/..}"

random() {
  head -c "$1" /dev/urandom
}

if [ ! -e .env ]; then
  id="$(random 16 | base64 | tr '+/' '-_' | tr -d '=\n')"
  # An id that begins with a dash would be read as a flag by Kafka's tools.
  sed "s/^KAFKA_CLUSTER_ID=.*/KAFKA_CLUSTER_ID=k${id#?}/" .env.example >.env
  echo "made .env"
fi
if [ ! -e fabric.yaml ]; then
  echo '# What Ribscope should know about the fabric: docs/configuration.md. Empty: it infers what it can.' >fabric.yaml
  echo "made fabric.yaml"
fi
# The folder keeps others out; the files are readable because services do not run as root.
[ -d secrets ] || mkdir -m 700 secrets
for user in ribscope_migrate ribscope_writer ribscope_analyst ribscope_api grafana; do
  names="${names:-} clickhouse_${user}_password"
done
for name in $names grafana_admin_password api_tokens; do
  [ -e "secrets/$name" ] && continue
  (umask 077 && random 24 | od -An -v -tx1 | tr -d ' \n' >"secrets/$name")
  chmod 444 "secrets/$name"
  echo "made secrets/$name"
done
