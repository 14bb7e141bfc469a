#!/usr/bin/env bash
# Installs what the dashboards are looked at with: Debian's chromium, and Grafana's components from npm at the
# versions that the folders in web/ pin. Nothing is taken but what the lock files name.
#
# ../tools/install.sh calls this; with E2E_DRY_RUN=true it only prints its steps.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/steps.sh"

need chromium chromium
for folder in "$here/web" "$here"/web/grafana-*; do
	# npm leaves this copy of the lock file when it has put everything there.
	$dry || ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.complete" || continue
	# Scripts of packages are not run; react is named beside the components, whichever they ask for.
	run npm --prefix "$folder" ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund
	run cp "$folder/package-lock.json" "$folder/node_modules/.complete"
done
