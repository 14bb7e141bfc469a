package exosim

import (
	"log/slog"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
)

// Dialect says which generation of exo a Node speaks.
type Dialect string

// The generations of exo's API.
const (
	Exo1 Dialect = "exo1" // exo 1.x
	Exo0 Dialect = "exo0" // legacy exo 0.0.x
)

// Options configure a Node. The zero value is an exo 1.x of today's HEAD in real time.
type Options struct {
	Dialect Dialect // Exo1 when empty
	Variant Variant // of Exo1; HEAD when empty
	Engine  Engine  // of Exo0; MLX when empty
	Machine Machine // of Exo1, by which it has events at rest; Mac when empty

	// Speed divides every modelled duration, the planning tick and keep-alives included;
	// 1 when zero. Rates that the node reports are those that really happened.
	Speed float64
	// Seed decides the jitter, the answers' lengths and nothing else; ids are always unique.
	Seed uint64
	// Jitter is the standard deviation of the logarithm of a decode gap; 0.01 when zero,
	// none at all when negative.
	Jitter float64

	// Profiles are the models that exist; Profiles() when nil.
	Profiles []Profile
	// CatalogueOnly hides what is not in exo 1.x's own catalogue until it is added with
	// POST /models/add.
	CatalogueOnly bool
	// Offline keeps exo from fetching model cards and weights from the internet.
	Offline bool
	// NotDownloaded names models, by workload name or id, whose weights are not on disk.
	NotDownloaded []string
	// CatalogueIn is how long after the start exo 1.x goes on reading its cards: until then
	// it lists some of its models only. None when zero.
	CatalogueIn time.Duration
	// Boot is how long a spawned runner takes until it listens; 1.2 s when zero.
	Boot time.Duration
	// DownloadRate is in bytes per second; 100 MB/s when zero.
	DownloadRate float64

	// AnswerTokens is the length at which an answer ends by itself, end-of-sequence token
	// included; drawn from the prompt (150 to 900) when zero.
	AnswerTokens int
	// MaxGenerateTokens is legacy exo's --max-generate-tokens; 10000 when zero.
	MaxGenerateTokens int

	// MemoryTotal is the machine's memory in bytes; 48 GiB when zero.
	MemoryTotal uint64
	// Spawner starts a real process for each runner; nil for none.
	Spawner Spawner
	// Log hears of faults that strike and runners that fail; discarded when nil.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.Dialect, Exo1)
	setDefault(&o.Variant, HEAD)
	setDefault(&o.Engine, MLX)
	setDefault(&o.Machine, Mac)
	setDefault(&o.Speed, 1)
	setDefault(&o.Boot, 1200*time.Millisecond)
	setDefault(&o.Jitter, 0.01)
	setDefault(&o.DownloadRate, 100e6)
	setDefault(&o.MaxGenerateTokens, 10000)
	setDefault(&o.MemoryTotal, 48<<30)
	if o.Profiles == nil {
		o.Profiles = pace.Profiles()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
