package memory

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload"
)

const (
	idleInterval   = 5 * time.Second
	searchInterval = 5 * time.Second
	// lostInterval bounds how often the disappearance of a process sets off a search.
	lostInterval = time.Second
	// maxFindInterval bounds the pause between searches for a root that is not there: each
	// looks at all processes and their sockets.
	maxFindInterval = 30 * time.Second
	readTimeout     = 5 * time.Second
)

// Config says what to watch. Without APIURL or PID there is nothing to watch.
type Config struct {
	APIURL   *url.URL      // exo's API: what listens on its port is the root of exo's process tree
	PID      int           // root of exo's process tree, whatever listens anywhere; 0 to find it
	Interval time.Duration // between samples of a turn; 0 for 250 ms, 2 s where a sample has to run ps
	Settle   time.Duration // from release to the sample for Memory.After; 0 for 2 s
	PSS      bool          // read proportional set sizes too, when no request is measured
	Source   Source        // processes of the machine of APIURL; nil for this machine's
	Logger   *slog.Logger  // nil for slog.Default()
}

// Sampler watches exo's process tree. It is a workload.Meter. All methods are safe for
// concurrent use; Current, Host and Visibility never wait for a sample being taken.
type Sampler struct {
	src      Source
	finder   *finder
	interval time.Duration // 0 for what src's manner says
	settle   time.Duration
	log      *slog.Logger
	hostMem  func(context.Context) (HostMemory, error)
	gpu      gpu

	wake chan struct{} // a turn began or ended
	done chan struct{} // Run has returned

	current    atomic.Pointer[Current]
	visibility atomic.Pointer[Visibility]
	host       atomic.Pointer[HostMemory]

	mu         sync.Mutex // guards what follows, and Source
	pss        bool       // proportional set sizes may be read
	tree       *tree      // nil while the root is not known
	lost       bool       // a process of the tree has gone since it was looked for
	how        string
	rec        *recording // of the turn under way; nil between turns
	nextSearch time.Time
	nextFind   time.Time
	findPause  time.Duration
	pssOf      map[Role]uint64
	noGPU      string // why the GPU memory was not known when it was asked for last
}

var _ workload.Meter = (*Sampler)(nil)

// New returns a Sampler that has not looked at anything yet.
func New(cfg Config) *Sampler {
	s := &Sampler{
		src:      cfg.Source,
		interval: cfg.Interval,
		settle:   cmp.Or(cfg.Settle, 2*time.Second),
		pss:      cfg.PSS,
		log:      cfg.Logger,
		hostMem:  readHostMemory,
		wake:     make(chan struct{}, 1),
		done:     make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.finder = &finder{pid: int32(cfg.PID), self: selfPID(), api: cfg.APIURL, locate: newLocator().locate}
	if s.src == nil {
		s.src, s.gpu = newHostSource(s.log), newGPU()
	} else {
		s.finder.self, s.finder.locate = 0, locateHere
	}
	s.finder.src = s.src
	return s
}

// Run samples until ctx is done. It is to be called once.
func (s *Sampler) Run(ctx context.Context) {
	defer close(s.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
			s.tick()
		}
		timer.Reset(s.pause())
	}
}

// Look searches for exo's processes, samples them once and says what can be seen. It needs no Run.
func (s *Sampler) Look() Visibility {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observe(searchRoot, s.rec == nil)
	return *s.visibility.Load()
}

// AllowPSS says whether proportional set sizes may be read from now on, which holds up the
// process that they are read of. It is for a Sampler that cannot tell by its recordings when
// requests are measured.
func (s *Sampler) AllowPSS(allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pss = allowed
}

// Current returns the last sample; false when exo's processes cannot be seen or sampling has stopped.
func (s *Sampler) Current() (Current, bool) {
	c := s.current.Load()
	if c == nil || time.Since(c.At) > 3*max(idleInterval, c.every) {
		return Current{}, false
	}
	return *c, true
}

// Host returns the memory of this machine as it was read last; false when it is not known.
func (s *Sampler) Host() (HostMemory, bool) {
	h := s.host.Load()
	if h == nil {
		return HostMemory{}, false
	}
	return *h, true
}

// Visibility says whether exo's processes could be seen at the last sample; false before the first.
func (s *Sampler) Visibility() (Visibility, bool) {
	v := s.visibility.Load()
	if v == nil {
		return Visibility{}, false
	}
	return *v, true
}

func (s *Sampler) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, ok := s.observe(searchDue, s.rec == nil)
	if ok && s.rec != nil {
		s.rec.add(seen)
	}
}

// pause returns the time to the next sample.
func (s *Sampler) pause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rec != nil {
		return s.every()
	}
	return max(idleInterval, s.every())
}

// every returns the time between two samples of a turn. s.mu is held.
func (s *Sampler) every() time.Duration { return cmp.Or(s.interval, s.src.manner().every) }
