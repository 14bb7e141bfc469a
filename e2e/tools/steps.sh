# What the install scripts here are written with; they source it.
#
# Every step that changes anything is one of the functions below. In a dry run, with E2E_DRY_RUN=true, they print
# the step instead, once it is certain that its command exists: on this machine, or because an earlier step
# installs it. All the rest of a script runs as always, so that where nothing is installed yet a dry run goes
# through every line but those about failures, within a second and without a network. The test in this folder
# does that, on every machine: what an earlier installation left there hides nothing from it.

tools=${E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/exo-bench-exporter-e2e}
dry=${E2E_DRY_RUN:-false}
declare -A to_come=() # commands that steps of a dry run would have installed

fail() {
	printf '%s: %s\n' "${0##*/}" "$@" >&2
	exit 1
}

# run COMMAND ARGUMENT... is a step.
run() {
	$dry || {
		"$@"
		return
	}
	[[ -v to_come[$1] ]] || type "$1" >/dev/null 2>&1 || fail "no command $1, for the step: $*"
	printf '+'
	printf ' %q' "$@"
	printf '\n'
}

# run_to FILE COMMAND ARGUMENT... is a step of which FILE gets all output.
run_to() {
	if $dry; then run "${@:2}"; else "${@:2}" >"$1" 2>&1; fi
}

# need COMMAND PACKAGE has a Debian package installed where its command is missing. A dry run takes it for missing.
need() {
	$dry || ! command -v "$1" >/dev/null || return 0
	$dry || command -v apt-get >/dev/null || fail "$1 is missing, and there is no apt-get to install Debian's package $2 with"
	run apt-get update -qq
	DEBIAN_FRONTEND=noninteractive run apt-get install -y -qq --no-install-recommends "$2"
	to_come[$1]=$2
	$dry || command -v "$1" >/dev/null || fail "Debian's package $2 has no command $1"
}
