package judge

import (
	"maps"
	"slices"
	"time"
)

// Judge knows what was normal for each model of a node, and says what is no longer. It is not
// safe for concurrent use. The zero Judge is of no use; New and Restore make one.
type Judge struct {
	state   state
	strict  float64
	scratch scratch
}

// Options change how a Judge decides.
type Options struct {
	// Strictness multiplies every threshold; 1 when zero. Above 1 there are fewer false alarms, and
	// losses are found later.
	Strictness float64
}

// state is all that a Judge knows.
type state struct {
	Version int
	Models  map[string]*model
	Node    map[Quantity]*node
	Memory  memory
}

// model is what is known of a model under its present epoch.
type model struct {
	Epoch string
	Last  int64 // time of the newest turn
	Gaps  []float64
	Rows  map[Quantity]*row
}

// row is a quantity of a model.
type row struct {
	Series series
	Parts  parts
}

const (
	maxModels = 32
	maxGaps   = 16
)

// New returns a Judge that knows nothing.
func New(o Options) *Judge {
	j := &Judge{strict: o.Strictness}
	if j.strict <= 0 {
		j.strict = 1
	}
	j.state = state{Version: version, Models: map[string]*model{}, Node: map[Quantity]*node{}}
	j.state.Memory.Tails = map[Quantity]*tails{}
	return j
}

// Add takes a turn. Turns of a model come in the order in which they were run; one that is known
// already changes nothing, and neither does one without a figure. One that began before the model's
// last did tells that the clock was set back: what is remembered moves along. Of models beyond 32
// the one that had no turn for longest is forgotten; prompts beyond 64 a model are not judged.
func (j *Judge) Add(t Turn) {
	at := t.Time.Unix()
	if len(t.Samples) == 0 || len(t.Model) > maxName || len(t.Epoch) > maxName {
		return
	}
	m := j.state.Models[t.Model]
	switch {
	case m == nil:
		j.makeRoom()
		m = &model{Epoch: t.Epoch, Rows: map[Quantity]*row{}}
		j.state.Models[t.Model] = m
	case m.Last == at:
		return
	case m.Epoch != t.Epoch:
		m.begin(t.Epoch)
	}
	if at < m.Last {
		m.setBack(m.Last - at + int64(m.interval()))
	}
	m.tick(at)
	j.state.Memory.Now = at
	for _, q := range Quantities() {
		j.addTo(m, q, t, at)
	}
}

func (j *Judge) addTo(m *model, q Quantity, t Turn, at int64) {
	c := j.context(q, m.interval())
	c.cycle, c.model = t.Cycle, t.Model
	r := m.Rows[q]
	if r == nil {
		r = &row{}
	}
	level, ok := r.Parts.level(c, t.Samples, at)
	if !ok {
		return
	}
	m.Rows[q] = r
	r.Series.add(c, at, level)
	n := j.state.Node[q]
	if n == nil {
		n = &node{}
		j.state.Node[q] = n
	}
	if !r.Series.learning() {
		n.add(c, t.Model, at, r.Series.unusual(*r.Series.newest()))
	}
	if f := r.Series.Loss; f != nil {
		f.Lag++
		f.compare(n)
	}
}

func (j *Judge) context(q Quantity, interval float64) context {
	m := &j.state.Memory
	if m.Tails[q] == nil {
		m.Tails[q] = &tails{}
	}
	return context{interval: interval, strict: j.strict, share: 1, memory: m, tails: m.Tails[q], q: q, scratch: &j.scratch}
}

// begin forgets what belongs to another epoch.
func (m *model) begin(epoch string) {
	*m = model{Epoch: epoch, Last: m.Last, Gaps: m.Gaps, Rows: map[Quantity]*row{}}
}

// makeRoom lets go of the model that had no turn for longest where there are as many as are kept.
func (j *Judge) makeRoom() {
	if len(j.state.Models) < maxModels {
		return
	}
	oldest := ""
	for _, name := range slices.Sorted(maps.Keys(j.state.Models)) {
		if oldest == "" || j.state.Models[name].Last < j.state.Models[oldest].Last {
			oldest = name
		}
	}
	delete(j.state.Models, oldest)
}

// setBack moves what is remembered of some prompts by so many seconds into the past. Series see to
// themselves.
func (m *model) setBack(seconds int64) {
	for _, r := range m.Rows {
		for _, all := range []map[string]*part{r.Parts.Prompts, r.Parts.Shapes} {
			for _, p := range all {
				p.Since -= seconds
			}
		}
	}
}

// tick learns the time between turns.
func (m *model) tick(at int64) {
	if gap := float64(at - m.Last); m.Last != 0 && gap > 0 && gap < 30*day {
		m.Gaps = append(m.Gaps, gap)
		if len(m.Gaps) > maxGaps {
			m.Gaps = m.Gaps[:copy(m.Gaps, m.Gaps[1:])]
		}
	}
	m.Last = at
}

// interval returns the time between turns in seconds: the lower third of the last gaps, because
// missing turns make some of them longer.
func (m *model) interval() float64 {
	if len(m.Gaps) == 0 {
		return quarter
	}
	gaps := slices.Clone(m.Gaps)
	slices.Sort(gaps)
	return clamp(gaps[len(gaps)/3], 10, day)
}

// Accept takes the present speed of the model as its normal one, and ends what is said of it; false
// when nothing is known of the model.
func (j *Judge) Accept(name string) bool {
	m := j.state.Models[name]
	if m == nil {
		return false
	}
	for _, r := range m.Rows {
		r.Series.accept()
		r.Parts.rebase()
	}
	return true
}

func (s *series) accept() {
	const recent = 8
	if len(s.Points) == 0 {
		return
	}
	from := max(0, len(s.Points)-recent)
	for _, f := range []*finding{s.Loss, s.Up} {
		if f != nil {
			from = s.index(f.Since)
		}
	}
	if s.Loss != nil {
		s.Habit.forget(s.Loss.Since)
	}
	level := s.middle(from)
	s.rebase(level, s.Points[from].At)
	s.Runs = intermittent{N: s.Runs.N, Slow: s.Runs.Slow}
	s.Deep = 0
}

func when(at int64) time.Time { return time.Unix(at, 0).UTC() }
