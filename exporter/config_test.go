package exporter

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"exo-bench-exporter/workload"
)

// environ returns an environment with HOME and the given variables, names without prefix.
func environ(pairs ...string) map[string]string {
	e := map[string]string{"HOME": "/home/somebody", "PATH": "/bin", "EXOBENCHMARK": "not ours"}
	for i := 0; i < len(pairs); i += 2 {
		e[EnvPrefix+pairs[i]] = pairs[i+1]
	}
	return e
}

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	got, err := LoadConfig(environ())
	if err != nil {
		t.Fatal(err)
	}
	stateDir, err := stateDir(runtime.GOOS, environ())
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Mode: ModeBench, ExoURL: "http://localhost:52415", Dialect: workload.DialectAuto, Endpoint: "auto",
		ListenAddress: ":9955", CycleInterval: 15 * time.Minute, Models: workload.DefaultModels(), StateDir: stateDir,
		ResultsFile: filepath.Join(stateDir, "results.jsonl"), ResultsMegabytes: 256,
		FirstTokenTimeout: 2 * time.Minute, IdleTimeout: 30 * time.Second, RequestTimeout: 10 * time.Minute,
		LoadTimeout: 10 * time.Minute, DownloadTimeout: time.Hour, BusyTimeout: 5 * time.Minute,
		Reload: "idle", Canary: true, MinNodes: 1, Sharding: "Pipeline",
		LogLevel: slog.LevelInfo, LogFormat: "text",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	empty := environ()
	for _, v := range Variables() {
		if v.Name != EnvPrefix+"MODELS" {
			empty[v.Name] = ""
		}
	}
	if got, err := LoadConfig(empty); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("variables that are set but empty: got %+v, %v, want the defaults", got, err)
	}
}

func TestEverythingSet(t *testing.T) {
	suite := writeFile(t, "version: x")
	webConfig := writeFile(t, "basic_auth_users: {}")
	envFile := writeFile(t, "OTHER=x")
	got, err := LoadConfig(environ(
		"EXO_URL", "https://node.example:8443/exo/", "DIALECT", "openai", "API_KEY", "k", "ENDPOINT", "bench",
		"LISTEN_ADDRESS", "[::1]:0", "WEB_CONFIG_FILE", webConfig, "CYCLE_INTERVAL", "1s",
		"MODELS", "a, b = x/y=z:1 ,c", "SUITE", suite, "STATE_DIR", "/var/lib/exo-bench",
		"RESULTS", "/var/lib/results", "RESULTS_MEGABYTES", "1",
		"FIRST_TOKEN_TIMEOUT", "1ms", "IDLE_TIMEOUT", "2ms", "REQUEST_TIMEOUT", "3ms", "LOAD_TIMEOUT", "4ms", "DOWNLOAD_TIMEOUT", "6ms",
		"BUSY_TIMEOUT", "5ms",
		"ADD_MODELS", "true", "RELOAD", "never", "KEEP_LOADED", "true", "MEMORY_BANDWIDTH", "68.25", "MIN_NODES", "2", "SHARDING", "Tensor",
		"EXO_PID", "77",
		"MEMORY_INTERVAL", "10ms",
		"CANARY", "false", "LOG_LEVEL", "DEBUG", "LOG_FORMAT", "json", "WEB_RELOAD", "true", "WEB_ACCEPT", "true", "ENV_FILE", envFile,
	))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Mode: ModeBench, ExoURL: "https://node.example:8443/exo", Dialect: workload.DialectOpenAI, APIKey: "k", Endpoint: "bench",
		ListenAddress: "[::1]:0", WebConfigFile: webConfig, CycleInterval: time.Second,
		Models: Models{{Name: "a"}, {Name: "b", ExoID: "x/y", Answers: "z:1"}, {Name: "c"}}, SuiteFile: suite, StateDir: "/var/lib/exo-bench",
		ResultsFile: "/var/lib/results", ResultsMegabytes: 1,
		FirstTokenTimeout: time.Millisecond, IdleTimeout: 2 * time.Millisecond, RequestTimeout: 3 * time.Millisecond,
		LoadTimeout: 4 * time.Millisecond, DownloadTimeout: 6 * time.Millisecond, BusyTimeout: 5 * time.Millisecond,
		AddModels: true, Reload: "never", KeepLoaded: true, MemoryBandwidth: 68.25, MinNodes: 2, Sharding: "Tensor", ExoPID: 77,
		MemoryInterval: 10 * time.Millisecond,
		LogLevel:       slog.LevelDebug, LogFormat: "json", WebReload: true, WebAccept: true, EnvFile: envFile,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// wrongValues are variables with one wrong value each and what the message about it contains.
var wrongValues = []struct{ name, value, want string }{
	{"EXO_URL", "localhost:52415", "want a URL such as"},
	{"EXO_URL", "ftp://localhost", "want a URL such as"},
	{"EXO_URL", "http://", "want a URL such as"},
	{"EXO_URL", "http://host:port", "want a URL such as"},
	{"EXO_URL", "http://host:70000", "want a port"},
	{"EXO_URL", "http://user:hunter2@host", "without user and password"},
	{"EXO_URL", "http://host/?key=hunter2", "without ? and #"},
	{"DIALECT", "exo2", "want auto, exo1, exo0, ollama or openai"},
	{"API_KEY", "hunter2\n", "want one key"},
	{"API_KEY_FILE", "/does/not/exist", "want a file that can be read: open /does/not/exist"},
	{"ENDPOINT", "v2", "want auto, v1 or bench"},
	{"LISTEN_ADDRESS", "9955", "want host:port"},
	{"LISTEN_ADDRESS", ":99999", "want host:port"},
	{"LISTEN_ADDRESS", ":http", "want host:port"},
	{"WEB_CONFIG_FILE", "/does/not/exist", "want a valid web configuration file"},
	{"CYCLE_INTERVAL", "soon", "want a duration such as"},
	{"CYCLE_INTERVAL", "15", "want a duration such as"},
	{"CYCLE_INTERVAL", "999ms", "want at least 1s"},
	{"MODELS", "", "the list of models is empty"},
	{"MODELS", " ", "the list of models is empty"},
	{"MODELS", "a,", "an entry is empty"},
	{"MODELS", "a,b,a=x", `"a" is named twice`},
	{"MODELS", "=x", `"=x" is no model`},
	{"MODELS", "a=", `"a=" is no model`},
	{"MODELS", "a b", `"a b" is no model`},
	{"MODELS", "a=b=", `"a=b=" is no model`},
	{"MODELS", "a=b=c=d e", `is no model`},
	{"MODELS", "mod\xe8le=m", `want UTF-8`},
	{"MODELS", "a=mod\xe8le", `want UTF-8`},
	{"SUITE", "/does/not/exist", "want a suite file that can be read"},
	{"SUITE", "/", "is a directory"},
	{"RESULTS", "/", "off to keep no records: / is a directory"},
	{"RESULTS_MEGABYTES", "0", "want at least 1"},
	{"FIRST_TOKEN_TIMEOUT", "0s", "longer than zero"},
	{"IDLE_TIMEOUT", "-1s", "longer than zero"},
	{"REQUEST_TIMEOUT", "0s", "longer than zero"},
	{"DOWNLOAD_TIMEOUT", "0s", "longer than zero"},
	{"LOAD_TIMEOUT", "0s", "longer than zero"},
	{"BUSY_TIMEOUT", "0s", "longer than zero"},
	{"ADD_MODELS", "maybe", "want true or false"},
	{"RELOAD", "sometimes", "want never, idle or always"},
	{"KEEP_LOADED", "maybe", "want true or false"},
	{"MEMORY_BANDWIDTH", "0", "want GB/s"},
	{"MEMORY_BANDWIDTH", "NaN", "want GB/s"},
	{"MEMORY_BANDWIDTH", "273e9", "want GB/s"},
	{"MIN_NODES", "0", "want at least 1"},
	{"MIN_NODES", "one", "want a whole number"},
	{"SHARDING", "pipeline", "want Pipeline or Tensor"},
	{"EXO_PID", "-1", "want the id of a process"},
	{"EXO_PID", "exo", "want a whole number"},
	{"MEMORY_INTERVAL", "1ms", "want at least 10ms"},
	{"MEMORY_INTERVAL", "0s", "want at least 10ms"},
	{"MODE", "agent", "want bench or memory"},
	{"DRIVER_URL", "mac-1:9955", "want a URL such as http://mac-1:9955"},
	{"DRIVER_URL", "http://user:hunter2@mac-1", "without user and password: give them in EXOBENCH_DRIVER_USER"},
	{"DRIVER_URL", "http://mac-1:9955", "want it only with EXOBENCH_MODE=memory"},
	{"DRIVER_USER", "a:b", "without colon"},
	{"DRIVER_USER", "somebody", "EXOBENCH_DRIVER_PASSWORD_FILE or"},
	{"DRIVER_PASSWORD", "hunter2", "want EXOBENCH_DRIVER_USER beside it"},
	{"DRIVER_PASSWORD_FILE", "/does/not/exist", "want a file that can be read"},
	{"EXO_CA_FILE", "/does/not/exist", "want a file that can be read"},
	{"EXO_CA_FILE", "config_test.go", "it holds none"},
	{"DRIVER_CA_FILE", "/does/not/exist", "want a file that can be read"},
	{"DRIVER_CA_FILE", "config_test.go", "it holds none"},
	{"LOG_LEVEL", "loud", "want debug, info, warn or error"},
	{"LOG_FORMAT", "xml", "want text or json"},
}

func TestWrongValues(t *testing.T) {
	for _, test := range wrongValues {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			_, err := LoadConfig(environ(test.name, test.value))
			var config *ConfigError
			if !errors.As(err, &config) || len(config.Problems) != 1 {
				t.Fatalf("want one problem, got: %v", err)
			}
			text := err.Error()
			if !strings.Contains(text, EnvPrefix+test.name) || !strings.Contains(text, test.want) {
				t.Errorf("want %s and %q in: %s", EnvPrefix+test.name, test.want, text)
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("the secret is in: %s", text)
			}
			shown := test.value != "" && test.name != "API_KEY" && !strings.Contains(test.value, "hunter2")
			if shown && !strings.Contains(text, quote(test.value)) {
				t.Errorf("want the value %q in: %s", test.value, text)
			}
		})
	}
}

func TestAllWrongValuesAtOnce(t *testing.T) {
	e := environ("DIALCT", "hunter2")
	for _, test := range wrongValues {
		e[EnvPrefix+test.name] = test.value
	}
	_, err := LoadConfig(e)
	var config *ConfigError
	if !errors.As(err, &config) {
		t.Fatalf("want a ConfigError, got: %v", err)
	}
	var want []string
	for _, v := range Variables() {
		if _, ok := e[v.Name]; ok {
			want = append(want, v.Name)
		}
	}
	want = append(want, EnvPrefix+"DIALCT")
	var got []string
	for _, p := range config.Problems {
		got = append(got, p.Variable)
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems with %v, want %v", got, want)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret is in: %v", err)
	}
}

// What an error about the configuration repeats does nothing to a terminal, and is bounded.
func TestErrorsArePrintable(t *testing.T) {
	const esc = "\x1b]0;owned\a"
	e := environ("X"+esc, "1", "CYCLE_INTERVAL", esc, "EXO_URL", "http://x"+esc, "SUITE", "/tmp/"+esc,
		"MODELS", strings.Repeat("m", 1<<20)+"=")
	for i := range 5000 {
		e[EnvPrefix+"NONE"+strconv.Itoa(i)] = "1"
	}
	_, err := LoadConfig(e)
	if err == nil || strings.ContainsFunc(strings.ReplaceAll(err.Error(), "\n", ""), unicode.IsControl) {
		t.Errorf("%q", err)
	}
	if text := err.Error(); len(text) > 20_000 || !strings.Contains(text, " more") {
		t.Errorf("an error of %d bytes: %.500s", len(text), text)
	}
}

func TestUnknownVariables(t *testing.T) {
	for name, want := range map[string]string{
		"DIALCT":   "DIALECT",
		"MODEL":    "MODELS",
		"IDLE":     "IDLE_TIMEOUT",
		"API_KYE":  "API_KEY",
		"MODLES":   "MODELS",
		"INTERVAL": "CYCLE_INTERVAL",
		"exo_url":  "EXO_URL",
	} {
		_, err := LoadConfig(environ(name, "hunter2"))
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		if text := err.Error(); !strings.Contains(text, EnvPrefix+name+": there is no such variable") ||
			!strings.Contains(text, "did you mean "+EnvPrefix+want+"?") || strings.Contains(text, "hunter2") {
			t.Errorf("want %s to be suggested for %s, without its value, in: %s", want, name, text)
		}
	}
}

// What Kubernetes sets for a Service called exobench is not the user's.
func TestServiceLinks(t *testing.T) {
	links := environ("SERVICE_HOST", "10.96.0.7", "SERVICE_PORT", "9955", "SERVICE_PORT_METRICS", "9955", "PORT", "tcp://10.96.0.7:9955",
		"PORT_9955_TCP", "tcp://10.96.0.7:9955", "PORT_9955_TCP_PROTO", "tcp", "PORT_9955_TCP_PORT", "9955", "PORT_9955_TCP_ADDR", "10.96.0.7",
		"DRIVER_SERVICE_HOST", "10.96.0.8", "DRIVER_PORT_53_UDP", "udp://10.96.0.8:53")
	if _, err := LoadConfig(links); err != nil {
		t.Error(err)
	}
	if got := ServiceLinks(links); len(got) != 10 || !slices.IsSorted(got) {
		t.Errorf("links %v", got)
	}
	if got := ServiceLinks(environ("EXO_URL", "http://a", "MODELS", "x")); len(got) != 0 {
		t.Errorf("links %v", got)
	}
	for _, name := range []string{
		"PORTS", "SERVICE_HOSTS", "PORT_9955", "PORT_9955_TCP_NAME", "port", "PORT", "DRIVER_PORT", "PORT_9955_TCP",
	} {
		if _, err := LoadConfig(environ(name, "1")); err == nil {
			t.Errorf("%s is passed over", name)
		}
	}
	for _, v := range Variables() {
		if serviceLink(v.Name, "tcp://10.96.0.7:9955") {
			t.Errorf("%s looks like a variable of Kubernetes'", v.Name)
		}
	}
}

func TestAPIKeyFile(t *testing.T) {
	const name = "API_KEY_FILE"
	for content, want := range map[string]Secret{"key": "key", "key\n": "key", "key\r\n": "key"} {
		c, err := LoadConfig(environ(name, writeFile(t, content)))
		if err != nil || c.APIKey != want {
			t.Errorf("content %q: key %q, %v", content, c.APIKey.Reveal(), err)
		}
	}
	for content, want := range map[string]string{
		"":                 "it is empty",
		"\n":               "it is empty",
		"hunter2\nhunter2": "want one key",
		" hunter2":         "want one key",
	} {
		_, err := LoadConfig(environ(name, writeFile(t, content)))
		if err == nil || !strings.Contains(err.Error(), EnvPrefix+name) || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("content %q: want %q without the content in: %v", content, want, err)
		}
	}
	_, err := LoadConfig(environ(name, writeFile(t, "key"), "API_KEY", "hunter2"))
	if err == nil || !strings.Contains(err.Error(), "not both") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("both set: %v", err)
	}
}

func TestMemoryMode(t *testing.T) {
	e := environ("MODE", "memory", "DRIVER_URL", "https://mac-1:9955/exo/", "DRIVER_USER", "agent",
		"DRIVER_PASSWORD_FILE", writeFile(t, "hunter2\n"), "EXO_PID", "7", "STATE_DIR", "/var/lib/exo-bench-exporter")
	delete(e, "HOME") // nothing is kept, so no directory is needed
	got, err := LoadConfig(e)
	if err != nil || got.Mode != ModeMemory || got.DriverURL != "https://mac-1:9955/exo" || got.DriverUser != "agent" ||
		got.DriverPassword != "hunter2" {
		t.Errorf("got %+v, %v", got, err)
	}
	if roots, err := got.DriverRoots(); roots != nil || err != nil {
		t.Errorf("roots without a file: %v, %v", roots, err)
	}
	_, err = LoadConfig(environ("MODE", "memory", "MODELS", "", "CYCLE_INTERVAL", "10m", "API_KEY", "hunter2", "DRIVER_PASSWORD", "hunter2"))
	want := "the configuration is wrong:" +
		"\n  EXOBENCH_API_KEY: want it unset: with EXOBENCH_MODE=memory the exporter at EXOBENCH_DRIVER_URL decides" +
		"\n  EXOBENCH_CYCLE_INTERVAL=\"10m\": want it unset: with EXOBENCH_MODE=memory the exporter at EXOBENCH_DRIVER_URL decides" +
		"\n  EXOBENCH_DRIVER_URL: want the URL of the exporter that measures, such as http://mac-1:9955: with EXOBENCH_MODE=memory it is " +
		"required" +
		"\n  EXOBENCH_DRIVER_PASSWORD: want EXOBENCH_DRIVER_USER beside it: the password is that of a user"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestEnvFile(t *testing.T) {
	file := writeFile(t, "# mine\nexport EXOBENCH_CYCLE_INTERVAL=7m\nEXOBENCH_API_KEY='a#b'\nPATH=/evil\nEXOBENCH_DIALECT=\n")
	e := environ("ENV_FILE", file, "CYCLE_INTERVAL", "1m", "DIALECT", "exo0", "MIN_NODES", "2")
	before := maps.Clone(e)
	c, err := LoadConfig(e)
	if err != nil || c.CycleInterval != 7*time.Minute || c.APIKey != "a#b" || c.Dialect != workload.DialectAuto || c.MinNodes != 2 ||
		c.EnvFile != file {
		t.Errorf("got %+v, %v", c, err)
	}
	all, err := Environ(e)
	if err != nil || all["PATH"] != "/bin" || !maps.Equal(e, before) {
		t.Errorf("got %v, %v; the environment is now %v", all, err, e)
	}
	for content, want := range map[string]string{
		"EXOBENCH_API_KEY hunter2":    "error on line 1: missing =",
		"\nEXOBENCH_API_KEY='hunter2": "error on line 2: unmatched '",
		"EXOBENCH_ENV_FILE=/x":        "not in the file itself",
		"EXOBENCH_APY_KEY=hunter2":    "did you mean EXOBENCH_API_KEY?",
	} {
		_, err := LoadConfig(environ("ENV_FILE", writeFile(t, content)))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, err := LoadConfig(environ("ENV_FILE", "/does/not/exist")); err == nil || !strings.Contains(
		err.Error(), "EXOBENCH_ENV_FILE=\"/does/not/exist\": want a file that can be read",
	) {
		t.Errorf("no file: %v", err)
	}
}

// A program that runs can take up every variable but those that say where it lives.
func TestCanBecome(t *testing.T) {
	before, err := LoadConfig(environ())
	if err != nil {
		t.Fatal(err)
	}
	after, err := LoadConfig(environ("CYCLE_INTERVAL", "1m", "MODELS", "x", "EXO_PID", "7", "EXO_URL", "http://a", "API_KEY", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if err := before.CanBecome(after); err != nil {
		t.Error(err)
	}
	after, err = LoadConfig(environ("LISTEN_ADDRESS", ":1", "STATE_DIR", "/s", "LOG_FORMAT", "json", "MODELS", "x"))
	if err != nil {
		t.Fatal(err)
	}
	err = before.CanBecome(after)
	var config *ConfigError
	if !errors.As(err, &config) {
		t.Fatalf("got %v", err)
	}
	var names []string
	for _, p := range config.Problems {
		names = append(names, strings.TrimPrefix(p.Variable, EnvPrefix))
	}
	if !slices.Equal(names, []string{"LISTEN_ADDRESS", "STATE_DIR", "RESULTS", "LOG_FORMAT"}) {
		t.Errorf("problems with %v", names)
	}
}

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, "")
	for path, want := range map[string]bool{
		dir: true, filepath.Join(dir, "a", "b"): true, "/": os.Geteuid() == 0, file: false, filepath.Join(file, "a"): false,
		"/proc/nonesuch": false,
	} {
		if err := Writable(path); (err == nil) != want {
			t.Errorf("%s: %v, want it to be writable: %t", path, err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestResultsFile(t *testing.T) {
	for want, vars := range map[string][]string{
		"/s/results.jsonl": {"STATE_DIR", "/s"},
		"/r/x":             {"STATE_DIR", "/s", "RESULTS", "/r/x"},
		"":                 {"STATE_DIR", "/s", "RESULTS", "off"},
	} {
		if got, err := LoadConfig(environ(vars...)); err != nil || got.ResultsFile != want {
			t.Errorf("%v: got %q, %v, want %q", vars, got.ResultsFile, err, want)
		}
	}
	if got, err := LoadConfig(environ("MODE", "memory", "DRIVER_URL", "http://a")); err != nil || got.ResultsFile != "" {
		t.Errorf("mode memory: got %q, %v", got.ResultsFile, err)
	}
}

func TestWebConfigFileIsValidated(t *testing.T) {
	_, err := LoadConfig(environ("WEB_CONFIG_FILE", writeFile(t, "basic_auth_users: {somebody: not-a-hash}")))
	if err == nil || !strings.Contains(err.Error(), "want a valid web configuration file") {
		t.Errorf("got %v", err)
	}
}

// Of the files that variables name none is waited for and none is read for ever: what is no regular
// file is refused by its kind. A test that hangs here is one that opened a pipe.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	long := writeFile(t, strings.Repeat("x", maxSmall+1))
	agent := []string{"MODE", "memory", "DRIVER_URL", "http://a", "DRIVER_USER", "u"}
	for variable, with := range map[string][]string{
		"API_KEY_FILE": nil, "EXO_CA_FILE": nil, "WEB_CONFIG_FILE": nil, "SUITE": nil, "RESULTS": nil, "ENV_FILE": nil,
		"DRIVER_PASSWORD_FILE": agent, "DRIVER_CA_FILE": append(agent, "DRIVER_PASSWORD", "p"),
	} {
		for path, want := range map[string]string{
			pipe: "is a pipe", os.DevNull: "is a device", "/dev/zero": "is a device", dir: "is a directory",
		} {
			_, err := LoadConfig(environ(append([]string{variable, path}, with...)...))
			if err == nil || !strings.Contains(err.Error(), EnvPrefix+variable) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s=%s: %v", variable, path, err)
			}
		}
		if variable == "SUITE" || variable == "RESULTS" {
			continue // not read here
		}
		_, err := LoadConfig(environ(append([]string{variable, long}, with...)...))
		if err == nil || !strings.Contains(err.Error(), EnvPrefix+variable) || !strings.Contains(err.Error(), "is longer than") {
			t.Errorf("%s with a long file: %v", variable, err)
		}
	}
	for _, name := range []string{"cert_file", "key_file", "client_ca_file"} {
		_, err := LoadConfig(environ("WEB_CONFIG_FILE", writeFile(t, "tls_server_config: {"+name+": "+pipe+"}")))
		if err == nil || !strings.Contains(err.Error(), "is a pipe") {
			t.Errorf("%s of a web configuration: %v", name, err)
		}
	}
}

func TestStateDir(t *testing.T) {
	for _, test := range []struct {
		goos, home, xdg, want string
	}{
		{"linux", "/home/a", "", "/home/a/.local/state/exo-bench-exporter"},
		{"linux", "/home/a", "/state", "/state/exo-bench-exporter"},
		{"linux", "/home/a", "relative", "/home/a/.local/state/exo-bench-exporter"},
		{"linux", "", "/state", "/state/exo-bench-exporter"},
		{"darwin", "/Users/a", "/state", "/Users/a/Library/Application Support/exo-bench-exporter"},
		{"linux", "", "", ""},
		{"darwin", "", "", ""},
	} {
		got, err := stateDir(test.goos, map[string]string{"HOME": test.home, "XDG_STATE_HOME": test.xdg})
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%+v: got %q, %v", test, got, err)
		}
	}
	e := environ()
	maps.DeleteFunc(e, func(k, _ string) bool { return k == "HOME" })
	if _, err := LoadConfig(e); err == nil || !strings.Contains(err.Error(), "EXOBENCH_STATE_DIR: want a directory") {
		t.Errorf("without HOME: %v", err)
	}
}

func TestRedactURL(t *testing.T) {
	for raw, want := range map[string]string{
		"http://localhost:52415":          "http://localhost:52415",
		"http://u:p@host/x":               "http://<secret>@host/x",
		"http://u:p?w@host/x":             "http://<secret>@host/x",
		"u:p@host":                        "<secret>@host",
		"http://host/x?key=v#f":           "http://host/x?<secret>",
		"http://host\x7f/:u:p@%zz/?key=v": "http://<secret>@%zz/?<secret>",
		"":                                "",
	} {
		if got := redactURL(raw); got != want {
			t.Errorf("redactURL(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestLogger(t *testing.T) {
	var b bytes.Buffer
	c := Config{LogLevel: slog.LevelWarn, LogFormat: "json", APIKey: "hunter2"}
	c.Logger(&b).Info("quiet")
	c.Logger(&b).Warn("loud", "config", c, "key", c.APIKey)
	if got := b.String(); strings.Contains(got, "quiet") || !strings.HasPrefix(got, "{") || !strings.Contains(got, "loud") ||
		strings.Contains(got, "hunter2") {
		t.Errorf("json: %s", got)
	}
	b.Reset()
	c.LogFormat = "text"
	c.Logger(&b).Warn("loud", "config", c, "key", c.APIKey)
	if got := b.String(); !strings.Contains(got, "msg=loud") || strings.Contains(got, "hunter2") {
		t.Errorf("text: %s", got)
	}
}

// TestTableOfVariables compares the table of variables in docs/commands.md with Config.
func TestTableOfVariables(t *testing.T) {
	commands, err := os.ReadFile("../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(commands), "<!-- variables -->")
	table, _, closed := strings.Cut(rest, "<!-- /variables -->")
	if !found || !closed {
		t.Fatal("docs/commands.md has no table between <!-- variables --> and <!-- /variables -->")
	}
	if strings.TrimSpace(table) != strings.TrimSpace(ConfigTable()) {
		t.Errorf("the table of variables in docs/commands.md is not that of Config, which is:\n%s", ConfigTable())
	}
}

func TestHelpIsComplete(t *testing.T) {
	help := ConfigHelp()
	for _, v := range Variables() {
		if v.Meaning == "" || strings.ContainsAny(v.Meaning, "|\n") {
			t.Errorf("%s: the meaning %q does not fit a table", v.Name, v.Meaning)
		}
		if !strings.Contains(help, v.Name) || !strings.Contains(help, v.Meaning) {
			t.Errorf("%s is not in the help", v.Name)
		}
	}
}
