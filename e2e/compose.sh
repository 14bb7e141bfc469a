#!/usr/bin/env bash
# Runs docker-compose.yml where a Docker engine runs: what e2e/compose_test.go and e2e/images_test.go can only read of it.
# It works in a clone of its own, made with umask 077, in projects of its own, on ports of its own, and removes them.
#
# usage: e2e/compose.sh [BASE]    first of the four ports that it takes, 19955 by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
base=${1:-19955}

docker info >/dev/null || { echo "no Docker engine answers" >&2 && exit 1; }
umask 077
work=$(mktemp -d)
git clone --quiet . "$work/clone"
cd "$work/clone"
export EXPORTER_PUBLISH=127.0.0.1:$base PROMETHEUS_PUBLISH=127.0.0.1:$((base + 1)) \
	ALERTMANAGER_PUBLISH=127.0.0.1:$((base + 2)) GRAFANA_PUBLISH=127.0.0.1:$((base + 3)) \
	GRAFANA_ADMIN_PASSWORD=s3cret GRAFANA_ANONYMOUS=true
# COMPOSE_PROJECT_NAME of the shell would win over the demo's: -p says it in both.
real() { docker compose -p exo-bench-e2e "$@"; }
demo() { docker compose -p exo-bench-e2e-demo --env-file demo.env "$@"; }

cleanup() {
	real down -v --remove-orphans >/dev/null 2>&1 || true
	demo down -v --remove-orphans >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

check() { # WHAT COMMAND...
	if "${@:2}"; then echo "ok    $1"; else echo "FAIL  $1" && exit 1; fi
}

# within SECONDS COMMAND... tries until it works.
within() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do ((SECONDS < end)) || return 1 && sleep 2; done
}
page() { curl -fsS "http://127.0.0.1:$1" 2>/dev/null; }
five() { (($(page "$base/metrics" | grep -c "^exobench_model_output_tokens_per_second{") == 5)); }
# Grafana itself asks Prometheus, by the data source that it is provisioned with.
grafana_has_five() {
	grep -q '"values":\[\[[0-9]*\],\[5\]\]' < <(curl -fsS -H 'Content-Type: application/json' -d '{"from": "now-5m", "to": "now", "queries": [
		{"refId": "A", "datasource": {"uid": "exobench-prometheus"}, "instant": true, "expr": "count(exobench_model_output_tokens_per_second)"}
	]}' "http://127.0.0.1:$((base + 3))/api/ds/query" 2>/dev/null)
}
has() { grep -q "$2" < <(page "$1"); }
# check itself fails where no exo is.
keeps_state() { grep -q '^ok *state' < <(real exec -T exporter /usr/local/bin/exo-bench-exporter check); }
prints_rules() { grep -q ExoBenchExoDown < <(docker run --rm exo-bench-exporter:local rules); }
volume() { docker volume inspect "$1" >/dev/null 2>&1; }

refuses() { ! env "$1" docker compose config --quiet 2>"$work/refused" && grep -q "$2" "$work/refused"; }
starts_unset() { env -u GRAFANA_PUBLISH -u GRAFANA_ADMIN_PASSWORD -u GRAFANA_ANONYMOUS docker compose config --quiet; }

# What compose makes of the file, before anything runs.
check "without a variable it is taken" starts_unset
check "EXOBENCH_STATE_DIR is refused" refuses EXOBENCH_STATE_DIR=/x "state is in a volume"
check "EXPORTER_CONTAINERS is refused" refuses EXPORTER_CONTAINERS=0 "native.env says it"
check "Grafana for others is refused without a password" refuses GRAFANA_ADMIN_PASSWORD= needs-GRAFANA_ADMIN_PASSWORD.env

# The exporter runs natively: nothing of it may be built or pulled.
before=$(docker image ls -q exo-bench-exporter:local)
cp native.env .env
check "native.env starts" real up -d --build --wait
check "nothing of the exporter was built" test "$before" = "$(docker image ls -q exo-bench-exporter:local)"
check "no exporter runs" test -z "$(real ps -q exporter)"
check "Prometheus asks the host" within 60 has "$((base + 1))/api/v1/targets" host.docker.internal:9955

# An edit of one's own is in force after up --build.
mkdir -p prometheus/local/prometheus/rules
echo 'groups: [{name: mine, rules: [{record: mine, expr: "1"}]}]' >prometheus/local/prometheus/rules/mine.yml
check "up --build with a rule of one's own" real up -d --build --wait
check "the rule is in force" within 60 has "$((base + 1))/api/v1/rules" '"mine"'
check "the tree is as git has it" test -z "$(git status --porcelain)"
real down
rm .env

# As any user the exporter may write where its state is kept.
export EXPORTER_USER=1000:1000
check "EXPORTER_USER=1000:1000 starts" real up -d --build --wait exporter
check "the state directory can be written" keeps_state
unset EXPORTER_USER
check "rules come from the image" prints_rules
real down

# The demo, beside whatever holds exo's port, reaches five models' figures and leaves the real volumes alone.
check "the demo starts" demo up -d --build --wait
check "five models have figures" within 300 five
check "their memory is seen" within 60 has "$base/metrics" '^exobench_model_resident_memory_bytes{'
check "Grafana has the dashboards" within 60 has "$((base + 3))/api/search" exobench-overview
check "Grafana has their figures" within 60 grafana_has_five
demo down -v
check "the real volumes are there still" volume exo-bench-e2e_prometheus-data
check "the demo's are not" test -z "$(docker volume ls -q --filter name=exo-bench-e2e-demo)"
