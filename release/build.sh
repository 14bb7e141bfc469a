#!/usr/bin/env bash
# Builds what is released of the commit that is checked out: archives for macOS and Linux, Debian packages, a formula for
# Homebrew, a bill of materials of each program and the sums of all. The same commit gives the same bytes, wherever it is built with the
# same Go.
#
# usage: release/build.sh DIRECTORY [PLATFORM...]    by default darwin and linux, amd64 and arm64
#
# RELEASE_URL is where the archives will be; without it there is no formula. dpkg-deb makes the packages.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ $# -gt 0 ]] || { sed -n 's/^# usage: /usage: /p' "$0" >&2 && exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[[ $# -gt 0 ]] || set -- darwin/amd64 darwin/arm64 linux/amd64 linux/arm64
[[ -z $(ls -A "$out") ]] || { echo "$out is not empty" >&2 && exit 1; }
sbom=$(command -v cyclonedx-gomod) || sbom=${E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/exo-bench-exporter-e2e}/bin/cyclonedx-gomod
[[ -x $sbom ]] || { echo "cyclonedx-gomod is missing: run e2e/tools/install.sh sbom" >&2 && exit 1; }

cd "$root"
# The moment of the commit stands in for the moment of the build, and nothing of this machine enters.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off GOAMD64=v1 GOARM64=v8.0 LC_ALL=C TZ=UTC
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # GOOS GOARCH FILE
	GOOS=$1 GOARCH=$2 go build -trimpath -buildvcs=true -ldflags='-s -w -buildid=' -o "$3" ./cmd/exo-bench-exporter
}

build "$(go env GOHOSTOS)" "$(go env GOHOSTARCH)" "$work/here"
# exo-bench-exporter VERSION (…): of a tag the tag, else Go's pseudo-version.
version=$("$work/here" version | cut -d' ' -f2)
version=${version#v}
version=${version%+dirty}
# In a work tree of another checkout Go does not tell it; it is made as Go makes it.
[[ $version == [0-9]* ]] || version=0.0.0-$(date -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)-$(git rev-parse --short=12 HEAD)

share=$work/share
mkdir -p "$share/completions"
for shell in bash zsh fish; do "$work/here" completion "$shell" >"$share/completions/exo-bench-exporter.$shell"; done
"$work/here" man >"$share/exo-bench-exporter.1"
cp LICENSE README.md CHANGELOG.md "$share"

# pack DIRECTORY FILE makes an archive in which nothing depends on when, where and by whom.
pack() {
	tar -C "$(dirname "$1")" --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
		-cf - "$(basename "$1")" | gzip -n9 >"$2"
}

deb() { # ARCHITECTURE PROGRAM
	local tree=$work/deb-$1
	mkdir -p "$tree"/{DEBIAN,usr/bin,usr/lib/systemd/system,etc/default,usr/share/{man/man1,doc/exo-bench-exporter}} \
		"$tree"/usr/share/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
	cp "$2" "$tree/usr/bin/exo-bench-exporter"
	cp release/linux/exo-bench-exporter.service "$tree/usr/lib/systemd/system/"
	cp release/linux/default "$tree/etc/default/exo-bench-exporter"
	gzip -n9 <"$share/exo-bench-exporter.1" >"$tree/usr/share/man/man1/exo-bench-exporter.1.gz"
	cp LICENSE "$tree/usr/share/doc/exo-bench-exporter/copyright"
	cp "$share/completions/exo-bench-exporter.bash" "$tree/usr/share/bash-completion/completions/exo-bench-exporter"
	cp "$share/completions/exo-bench-exporter.zsh" "$tree/usr/share/zsh/vendor-completions/_exo-bench-exporter"
	cp "$share/completions/exo-bench-exporter.fish" "$tree/usr/share/fish/vendor_completions.d/"
	install -m 755 release/linux/postinst release/linux/prerm "$tree/DEBIAN/"
	echo /etc/default/exo-bench-exporter >"$tree/DEBIAN/conffiles"
	cat >"$tree/DEBIAN/control" <<-CONTROL
		Package: exo-bench-exporter
		Version: $version
		Architecture: $1
		Maintainer: The exo-bench-exporter authors <noreply@example.org>
		Section: net
		Priority: optional
		Description: Prometheus exporter that benchmarks the models of an exo node
		 It cycles five language models through one fixed prompt workload and exports latency histograms, tokens
		 per second and the resident memory of exo.
	CONTROL
	find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$tree" "$out/exo-bench-exporter_${version}_$1.deb" >/dev/null
}

for platform; do
	os=${platform%/*} arch=${platform#*/}
	name=exo-bench-exporter-$version-$os-$arch
	cp -r "$share" "$work/$name"
	build "$os" "$arch" "$work/$name/exo-bench-exporter"
	case $os in
	darwin) cp -r release/macos/agent release/macos/daemon "$work/$name/" ;;
	linux) cp release/linux/exo-bench-exporter.service "$work/$name/" && deb "$arch" "$work/$name/exo-bench-exporter" ;;
	esac
	"$sbom" bin -json -noserial -notimestamp -output "$out/$name.cdx.json" "$work/$name/exo-bench-exporter" 2>"$work/sbom.log" ||
		{ cat "$work/sbom.log" >&2 && exit 1; }
	pack "$work/$name" "$out/$name.tar.gz"
done

sum() { sha256sum "$out/exo-bench-exporter-$version-$1.tar.gz" 2>/dev/null | cut -d' ' -f1; }
if [[ -n ${RELEASE_URL:-} && " $* " == *" darwin/amd64 "* && " $* " == *" darwin/arm64 "* ]]; then
	sed -e "s|@URL@|$RELEASE_URL|g" -e "s/@VERSION@/$version/g" -e "s/@AMD64@/$(sum darwin-amd64)/" -e "s/@ARM64@/$(sum darwin-arm64)/" \
		release/macos/exo-bench-exporter.rb >"$out/exo-bench-exporter.rb"
fi
(cd "$out" && sha256sum -- * >"$work/SHA256SUMS")
cp "$work/SHA256SUMS" "$out/"
ls -l "$out"
