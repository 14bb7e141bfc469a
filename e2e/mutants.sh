#!/usr/bin/env bash
# Says which small changes to the code no test of its package would notice: mutants that live. A mutant that lives
# is either equal to the original or a test that is missing.
#
# usage: e2e/mutants.sh [PACKAGE...]    by default those that other packages rest on; some seconds a mutant
#
# It is no part of .ci/run: it takes an hour, and what lives has to be read by somebody.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export E2E_TOOLS=${E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/exo-bench-exporter-e2e}
e2e/tools/install.sh gremlins
[[ $# -gt 0 ]] || set -- ./workload ./workload/exo/answer ./workload/exo/sse ./workload/exo/state ./workload/exo/instance \
	./exporter/cluster ./exporter/metric ./exporter/rules
for package; do
	echo "==> $package"
	# One at a time: tests that are held up look like tests that notice. Packages below have a run of their own.
	"$E2E_TOOLS/bin/gremlins" unleash --exclude-files / --workers 1 --timeout-coefficient 10 --output-statuses lt "$package"
done
