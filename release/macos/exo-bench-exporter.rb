# Homebrew's formula, for a tap of your own; release/build.sh fills in the address, the version and the sums.
class ExoBenchExporter < Formula
  desc "Prometheus exporter that benchmarks the models of an exo node"
  homepage "@URL@"
  version "@VERSION@"
  license "Apache-2.0"

  on_arm do
    url "@URL@/exo-bench-exporter-@VERSION@-darwin-arm64.tar.gz"
    sha256 "@ARM64@"
  end
  on_intel do
    url "@URL@/exo-bench-exporter-@VERSION@-darwin-amd64.tar.gz"
    sha256 "@AMD64@"
  end

  def install
    bin.install "exo-bench-exporter"
    man1.install "exo-bench-exporter.1"
    bash_completion.install "completions/exo-bench-exporter.bash" => "exo-bench-exporter"
    zsh_completion.install "completions/exo-bench-exporter.zsh" => "_exo-bench-exporter"
    fish_completion.install "completions/exo-bench-exporter.fish"
  end

  service do
    run opt_bin/"exo-bench-exporter"
    keep_alive successful_exit: false
    process_type :interactive
    macos_legacy_timers true
    log_path var/"log/exo-bench-exporter.log"
    error_log_path var/"log/exo-bench-exporter.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/exo-bench-exporter version")
  end
end
