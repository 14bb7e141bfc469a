#!/usr/bin/env bash
# Builds the tools that the tests here and .ci/run use, at the versions that the go.mod beside each pins.
#
# usage: install.sh [-n] [NAME...]    by default those that the end-to-end tests need: prometheus alertmanager llama sbom
#
# They go to $E2E_TOOLS, by default ~/.cache/exo-bench-exporter-e2e, executables in its bin/. What is there
# already at the right version is left alone. With -n the steps are checked and printed, and nothing is done.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ${1:-} == -n ]]; then
	export E2E_DRY_RUN=true
	shift
fi
. "$here/steps.sh"

# version_of FILE... prints what tells one state of a recipe from another.
version_of() { { go env GOVERSION GOARCH && cat "$@"; } | sha256sum | cut -c1-16; }

# go_tool NAME builds the tools of the module NAME and links them into bin/.
go_tool() {
	local module=$here/$1 dir
	[[ -f $module/go.mod && -f $module/go.sum ]] || fail "no module $1 in $here"
	grep -q '^tool ' "$module/go.mod" || fail "$module/go.mod names no tool"
	dir=$tools/$1-$(version_of "$module/go.mod" "$module/go.sum")
	if [[ ! -e $dir/complete ]]; then
		echo "building $1, which can take some minutes"
		# GOFLAGS is set here alone so that no setting of the machine changes what is built. The tag leaves
		# out Prometheus' service discoveries of clouds; the other tools do not know it.
		(cd "$module" && GOFLAGS=-mod=readonly GOWORK=off GOBIN=$dir run go install -tags remove_all_sd tool)
		run touch "$dir/complete"
	fi
	run find "$dir" -type f -perm -u+x -exec ln -sf -t "$tools/bin" {} +
}

[[ $# -gt 0 ]] || set -- prometheus alertmanager llama sbom
run mkdir -p "$tools/bin"
for name; do
	case $name in
	llama) "$here/../llama/install.sh" ;;
	render) "$here/../render/install.sh" ;;
	*) go_tool "$name" ;;
	esac
done
