package exporter

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caarlos0/env/v11"

	"exo-bench-exporter/workload"
)

// EnvPrefix begins the name of every variable that configures the exporter.
const EnvPrefix = "EXOBENCH_"

// Mode says what the exporter does.
type Mode string

// The modes of the exporter.
const (
	ModeBench  Mode = "bench"  // measure
	ModeMemory Mode = "memory" // watch the memory of one machine while another exporter measures
)

// Config is the exporter's configuration. The tag `meaning` is the help text of a variable;
// the tag `shown` is the default that help shows where envDefault does not say it; the tag
// `mode` is the only mode in which the variable has a meaning; the tag `reload` is "no" where it
// takes a restart to change it.
type Config struct {
	Mode Mode `env:"MODE" reload:"no" envDefault:"bench" meaning:"bench measures; memory only watches the memory of exo on one more machine of a cluster, for the exporter at EXOBENCH_DRIVER_URL"`
	// ExoURL is the node's base URL, without user, query or trailing slash.
	ExoURL  string           `env:"EXO_URL" envDefault:"http://localhost:52415" meaning:"base URL of the node that is measured; in mode memory that of exo on this machine, whose processes its port leads to"`
	Dialect workload.Dialect `env:"DIALECT" mode:"bench" envDefault:"auto" meaning:"API that the node speaks: {dialects}"`
	// APIKey is the key itself, wherever it came from; empty means that none is sent.
	APIKey     Secret `env:"API_KEY" mode:"bench" meaning:"key that is sent as bearer token"`
	APIKeyFile string `env:"API_KEY_FILE" mode:"bench" meaning:"file to read that key from, instead of EXOBENCH_API_KEY"`
	// ExoCAFile is the path of a file, see ExoRoots.
	ExoCAFile string `env:"EXO_CA_FILE" mode:"bench" meaning:"file with the certificates (PEM) of the authorities to trust for the node, instead of the system's"`
	Endpoint  string `env:"ENDPOINT" mode:"bench" envDefault:"auto" meaning:"route that prompts are put to: auto (find out), v1 (/v1/chat/completions) or bench (exo 1.x: /bench/chat/completions)"`

	ListenAddress string `env:"LISTEN_ADDRESS" reload:"no" envDefault:":9955" meaning:"address that /metrics and the status page are served on, as host:port"`
	WebConfigFile string `env:"WEB_CONFIG_FILE" reload:"no" meaning:"web configuration file of the Prometheus exporter toolkit: TLS and basic authentication"`
	WebAccept     bool   `env:"WEB_ACCEPT" mode:"bench" reload:"no" envDefault:"false" meaning:"whether POST /-/accept?model=M takes the present speed of a model as its normal one, as the command accept does"`
	WebReload     bool   `env:"WEB_RELOAD" reload:"no" envDefault:"false" meaning:"whether POST /-/reload reads EXOBENCH_ENV_FILE and the suite anew, as the signal SIGHUP does"`

	CycleInterval time.Duration `env:"CYCLE_INTERVAL" mode:"bench" envDefault:"15m" meaning:"time from the start of one cycle to the start of the next, at least 1s"`
	Models        Models        `env:"MODELS" mode:"bench" shown:"the five" meaning:"models to measure, separated by commas: name, name=id to choose the id that the node is asked for, or name=id=answered where its answers name another one"`
	// SuiteFile is the path of a suite file; empty means the embedded suite.
	SuiteFile string `env:"SUITE" mode:"bench" shown:"embedded" meaning:"path of a suite file with prompts of your own"`
	Canary    bool   `env:"CANARY" mode:"bench" envDefault:"true" meaning:"whether ten short questions with known answers are put to each model after its prompts, which tell nonsense at full speed from answers; they are not timed"`
	StateDir  string `env:"STATE_DIR" mode:"bench" reload:"no" shown:"the user's state directory" meaning:"directory that records which instances the exporter created on the node, so that it removes exactly those after a crash, and what it has learnt of speeds"`
	// ResultsFile is where the records of single results are kept; empty means that none are.
	ResultsFile      string `env:"RESULTS" mode:"bench" reload:"no" shown:"results.jsonl in the state directory" meaning:"file that keeps a record of every result and turn, as JSON Lines without any prompt or answer; off keeps none"`
	ResultsMegabytes int    `env:"RESULTS_MEGABYTES" mode:"bench" reload:"no" envDefault:"256" meaning:"most that file and the older ones beside it may hold together, in megabytes"`

	FirstTokenTimeout time.Duration `env:"FIRST_TOKEN_TIMEOUT" mode:"bench" envDefault:"2m" meaning:"longest wait for the first token of an answer"`
	IdleTimeout       time.Duration `env:"IDLE_TIMEOUT" mode:"bench" envDefault:"30s" meaning:"longest wait for each further token"`
	RequestTimeout    time.Duration `env:"REQUEST_TIMEOUT" mode:"bench" envDefault:"10m" meaning:"longest that one request may take"`
	LoadTimeout       time.Duration `env:"LOAD_TIMEOUT" mode:"bench" envDefault:"10m" meaning:"longest wait for a model to be loaded"`
	DownloadTimeout   time.Duration `env:"DOWNLOAD_TIMEOUT" mode:"bench" envDefault:"1h" meaning:"longest wait in one turn for exo to download a model's weights; the next turn goes on from what is there (exo 1.x)"`
	BusyTimeout       time.Duration `env:"BUSY_TIMEOUT" mode:"bench" envDefault:"5m" meaning:"longest wait for other people's work on the node to end before a model is skipped"`

	Reload     string `env:"RELOAD" mode:"bench" envDefault:"idle" meaning:"when a model that is not loaded may be loaded, which holds up other people's requests for seconds: never, idle (in a moment without work) or always (exo 1.x)"`
	KeepLoaded bool   `env:"KEEP_LOADED" mode:"bench" envDefault:"false" meaning:"whether models that the exporter has loaded stay loaded between their turns, as long as the machines have an eighth of their memory and 2 GiB to spare; they are given back when the exporter ends (exo 1.x)"`

	AddModels bool   `env:"ADD_MODELS" mode:"bench" envDefault:"false" meaning:"whether models that exo does not know may be added to its catalogue (exo 1.x; needs internet there)"`
	MinNodes  int    `env:"MIN_NODES" mode:"bench" envDefault:"1" meaning:"fewest nodes that a model is placed on (exo 1.x)"`
	Sharding  string `env:"SHARDING" mode:"bench" envDefault:"Pipeline" meaning:"how a model is split over nodes: Pipeline or Tensor (exo 1.x)"`

	// MemoryBandwidth is in 10⁹ bytes per second; 0 where it is not set.
	MemoryBandwidth float64 `env:"MEMORY_BANDWIDTH" mode:"bench" shown:"that of the chip that exo names" meaning:"peak memory bandwidth in GB/s of the machine that exo runs on, of which the use by decoding is a share (exo 1.x)"`

	// ExoPID is the root of exo's process tree; 0 means that it is searched for.
	ExoPID int `env:"EXO_PID" shown:"found" meaning:"process id of exo, where it cannot be found by itself"`
	// MemoryInterval is 0 where it is not set: the sampler knows what a sample costs here.
	MemoryInterval time.Duration `env:"MEMORY_INTERVAL" shown:"250ms; 2s where it takes ps" meaning:"time between two samples of exo's memory during a turn, at least 10ms"`

	// DriverURL is the base URL of the exporter that measures, without user, query or trailing
	// slash.
	DriverURL  string `env:"DRIVER_URL" mode:"memory" meaning:"base URL of the exporter that measures, such as http://mac-1:9955; required"`
	DriverUser string `env:"DRIVER_USER" mode:"memory" meaning:"user name for that exporter, where its web configuration asks for one"`
	// DriverPassword is the password itself, wherever it came from.
	DriverPassword     Secret `env:"DRIVER_PASSWORD" mode:"memory" meaning:"password of that user"`
	DriverPasswordFile string `env:"DRIVER_PASSWORD_FILE" mode:"memory" meaning:"file to read that password from, instead of EXOBENCH_DRIVER_PASSWORD"`
	DriverCAFile       string `env:"DRIVER_CA_FILE" mode:"memory" meaning:"file with the certificates (PEM) of the authorities to trust for that exporter, instead of the system's"`

	LogLevel  slog.Level `env:"LOG_LEVEL" reload:"no" envDefault:"info" meaning:"least severe message that is logged: debug, info, warn or error"`
	LogFormat string     `env:"LOG_FORMAT" reload:"no" envDefault:"text" meaning:"format of the log: text or json"`

	// EnvFile has been read already: what it holds is in the other fields.
	EnvFile string `env:"ENV_FILE" reload:"no" meaning:"file with more variables, one NAME=value a line, which win over the environment's; it is read again on SIGHUP"`
}

// LoadConfig reads the configuration from environ, a map of variable to value, and from the file
// that EXOBENCH_ENV_FILE names there; it looks at no other environment. A variable that is set but empty counts as not set, except
// EXOBENCH_MODELS, where an empty list is an error. The error is a *ConfigError, which lists
// everything that is wrong.
func LoadConfig(environ map[string]string) (Config, error) {
	environ, err := Environ(environ)
	if err != nil {
		return Config{}, err
	}
	c, err := env.ParseAsWithOptions[Config](env.Options{
		Environment: environ,
		Prefix:      EnvPrefix,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[Models](): func(v string) (any, error) { return ParseModels(v) },
		},
	})
	p := problems{environ: environ}
	if err := p.addParseErrors(err); err != nil {
		return Config{}, err
	}
	p.check(&c)
	p.sort()
	p.addUnknown()
	if len(p.found) > 0 {
		return Config{}, &ConfigError{Problems: p.found}
	}
	return c, nil
}

// Logger returns the logger that c asks for.
func (c Config) Logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// Models is a list of models as EXOBENCH_MODELS gives it.
type Models []workload.Model

// ParseModels reads a comma-separated list of name, name=id or name=id=answered.
func ParseModels(list string) (Models, error) {
	if strings.TrimSpace(list) == "" {
		return nil, errors.New("the list of models is empty: want at least one name, or leave the variable unset for the five")
	}
	var models Models
	var wrong []error
	seen := make(map[string]bool)
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		parts := strings.SplitN(item, "=", 3)
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		name := parts[0]
		switch {
		case !utf8.ValidString(item):
			wrong = append(wrong, fmt.Errorf("%q is no model: want UTF-8", item))
		case item == "":
			wrong = append(wrong, errors.New("an entry is empty: want no comma at the start, at the end or twice in a row"))
		case slices.Contains(parts, "") || strings.ContainsFunc(strings.Join(parts, ""), unprintable):
			wrong = append(wrong, fmt.Errorf("%q is no model: want name, name=id or name=id=answered, without white space", item))
		case seen[name]:
			wrong = append(wrong, fmt.Errorf("%q is named twice: want each name once", name))
		default:
			seen[name] = true
			parts = append(parts, "", "")
			models = append(models, workload.Model{Name: name, ExoID: parts[1], Answers: parts[2]})
		}
	}
	return models, errors.Join(wrong...)
}
