package exporter

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/regular"
)

const (
	minCycleInterval  = time.Second
	minMemoryInterval = 10 * time.Millisecond
)

// check completes c and records every value that cannot be used.
func (p *problems) check(c *Config) {
	oneOf(p, "MODE", c.Mode, ModeBench, ModeMemory)
	c.ExoURL = strings.TrimRight(c.ExoURL, "/")
	p.url("EXO_URL", c.ExoURL, "http://localhost:52415", "give a key in EXOBENCH_API_KEY or EXOBENCH_API_KEY_FILE")
	if _, err := c.ExoRoots(); err != nil {
		p.add("EXO_CA_FILE", err.Error())
	}
	oneOf(p, "DIALECT", c.Dialect, workload.Dialects()...)
	p.apiKey(c)
	oneOf(p, "ENDPOINT", c.Endpoint, "auto", "v1", "bench")

	p.address("LISTEN_ADDRESS", c.ListenAddress)
	if err := validWebConfig(c.WebConfigFile); err != nil {
		p.add("WEB_CONFIG_FILE", "want a valid web configuration file: "+err.Error())
	}

	if c.Mode != ModeMemory {
		p.models(c)
	}
	if c.SuiteFile != "" {
		if err := readable(c.SuiteFile); err != nil {
			p.add("SUITE", "want a suite file that can be read: "+err.Error())
		}
	}
	if c.StateDir == "" && c.Mode != ModeMemory {
		dir, err := stateDir(runtime.GOOS, p.environ)
		if err != nil {
			p.add("STATE_DIR", err.Error())
		}
		c.StateDir = dir
	}

	p.results(c)

	atLeast(p, "CYCLE_INTERVAL", c.CycleInterval, minCycleInterval)
	if p.environ[EnvPrefix+"MEMORY_INTERVAL"] != "" {
		atLeast(p, "MEMORY_INTERVAL", c.MemoryInterval, minMemoryInterval)
	}
	p.positive("FIRST_TOKEN_TIMEOUT", c.FirstTokenTimeout)
	p.positive("IDLE_TIMEOUT", c.IdleTimeout)
	p.positive("REQUEST_TIMEOUT", c.RequestTimeout)
	p.positive("LOAD_TIMEOUT", c.LoadTimeout)
	p.positive("DOWNLOAD_TIMEOUT", c.DownloadTimeout)
	p.positive("BUSY_TIMEOUT", c.BusyTimeout)

	atLeast(p, "MIN_NODES", c.MinNodes, 1)
	if p.environ[EnvPrefix+"MEMORY_BANDWIDTH"] != "" && !(c.MemoryBandwidth >= 1 && c.MemoryBandwidth <= 1e5) {
		p.add("MEMORY_BANDWIDTH", "want GB/s, a number from 1 to 100000, such as 273")
	}
	oneOf(p, "RELOAD", c.Reload, "never", "idle", "always")
	oneOf(p, "SHARDING", c.Sharding, "Pipeline", "Tensor")
	if c.ExoPID < 0 {
		p.add("EXO_PID", "want the id of a process, a positive number")
	}
	p.driver(c)
	oneOf(p, "LOG_FORMAT", c.LogFormat, "text", "json")
	p.foreign(c.Mode)
}

// resultsOff is the value of RESULTS that keeps no records.
const resultsOff = "off"

// results completes where the records of results are kept.
func (p *problems) results(c *Config) {
	atLeast(p, "RESULTS_MEGABYTES", c.ResultsMegabytes, 1)
	switch {
	case c.ResultsFile == resultsOff || c.Mode == ModeMemory:
		c.ResultsFile = ""
	case c.ResultsFile == "" && c.StateDir != "":
		c.ResultsFile = filepath.Join(c.StateDir, "results.jsonl")
	case c.ResultsFile != "":
		if err := regular.Check(c.ResultsFile); errors.Is(err, regular.ErrNot) {
			p.add("RESULTS", "want a file, or off to keep no records: "+err.Error())
		}
	}
}

// url records what is wrong with the base URL value; login says where a secret belongs instead.
func (p *problems) url(name, value, example, login string) {
	u, err := url.Parse(value)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		p.add(name, "want a URL such as "+example)
	case u.User != nil:
		p.add(name, "want a URL without user and password: "+login)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		p.add(name, "want a base URL, without ? and #")
	case u.Port() != "" && !validPort(u.Port()):
		p.add(name, "want a port from 0 to 65535")
	}
}

func (p *problems) apiKey(c *Config) {
	p.key("API_KEY", c.APIKey)
	p.secretFile("API_KEY", c.APIKeyFile, &c.APIKey)
	if c.APIKeyFile != "" {
		p.key("API_KEY_FILE", c.APIKey)
	}
}

// secretFile reads the file for the secret called name into secret, if there is a file.
func (p *problems) secretFile(name, path string, secret *Secret) {
	if path == "" {
		return
	}
	if *secret != "" {
		p.add(name+"_FILE", "want either this or "+EnvPrefix+name+", not both")
		return
	}
	content, err := readSmall(path)
	if err != nil {
		p.add(name+"_FILE", "want a file that can be read: "+err.Error())
		return
	}
	*secret = Secret(strings.TrimRight(string(content), "\r\n"))
	if *secret == "" {
		p.add(name+"_FILE", "want a file with the secret in it: it is empty")
	}
}

func (p *problems) key(name string, key Secret) {
	if strings.ContainsFunc(key.Reveal(), unprintable) {
		p.add(name, "want one key without white space or control characters: an HTTP header has to carry it")
	}
}

func (p *problems) address(name, value string) {
	host, port, err := net.SplitHostPort(value)
	if err != nil || !validPort(port) || strings.ContainsFunc(host, unprintable) {
		p.add(name, "want host:port or :port, with a port from 0 to 65535")
	}
}

func (p *problems) models(c *Config) {
	_, set := p.environ[EnvPrefix+"MODELS"]
	switch {
	case len(c.Models) > 0:
	case set && !p.has("MODELS"):
		_, err := ParseModels("")
		p.add("MODELS", err.Error())
	case !set:
		c.Models = workload.DefaultModels()
	}
}

func (p *problems) positive(name string, d time.Duration) {
	if d <= 0 {
		p.add(name, "want a duration longer than zero")
	}
}

func atLeast[T cmp.Ordered](p *problems, name string, value, least T) {
	if value < least {
		p.add(name, fmt.Sprintf("want at least %v", least))
	}
}

func oneOf[T ~string](p *problems, name string, value T, allowed ...T) {
	if slices.Contains(allowed, value) {
		return
	}
	last := len(allowed) - 1
	names := make([]string, last)
	for i, a := range allowed[:last] {
		names[i] = string(a)
	}
	p.add(name, fmt.Sprintf("want %s or %s", strings.Join(names, ", "), allowed[last]))
}

func validPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// maxSmall bounds the files that configure, in bytes: none of them is long.
const maxSmall = 1 << 20

// readSmall reads a regular file of at most maxSmall bytes.
func readSmall(path string) ([]byte, error) { return regular.Read(path, maxSmall) }

func readable(path string) error {
	f, err := regular.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// stateDir returns the directory for the exporter's state: below $XDG_STATE_HOME or
// ~/.local/state, as the XDG base directory specification has it, and below
// ~/Library/Application Support on macOS.
func stateDir(goos string, environ map[string]string) (string, error) {
	const name = "exo-bench-exporter"
	home := environ["HOME"]
	if xdg := environ["XDG_STATE_HOME"]; goos != "darwin" && filepath.IsAbs(xdg) {
		return filepath.Join(xdg, name), nil
	}
	if home == "" {
		return "", errors.New("want a directory: it is not set, and without HOME there is no default")
	}
	if goos == "darwin" {
		return filepath.Join(home, "Library", "Application Support", name), nil
	}
	return filepath.Join(home, ".local", "state", name), nil
}
