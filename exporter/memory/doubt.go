package memory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// doubted reads by a fast way that it does not take on trust: layouts and permissions are from the
// system's sources, and another release of the system may have others. Before the fast way's
// figures are used they are held against ps, of this process and then of exo's. Where the two
// disagree ps is used from then on.
type doubted struct {
	fast, slow Source
	self       int32
	// weigh puts a known weight on this process and says what is wrong with what read tells of it.
	weigh func(read func() (Usage, error)) error
	log   *slog.Logger

	examined bool   // this process was looked at
	attempts int    // comparisons of exo's processes that failed
	settled  bool   // no further comparison is needed
	refused  string // why the fast way is not used; empty while it is
	unsure   string // why it could not be compared
}

// maxAttempts is how many comparisons of exo's processes in a row fail before the fast way is
// given up: memory may change by more than the tolerance while ps runs.
const maxAttempts = 3

func newDoubted(fast, slow Source, self int32, weigh func(func() (Usage, error)) error, log *slog.Logger) *doubted {
	return &doubted{fast: fast, slow: slow, self: self, weigh: weigh, log: log}
}

func (d *doubted) Table(ctx context.Context, anew bool) ([]Process, error) {
	d.examine(ctx)
	if d.refused != "" {
		return d.slow.Table(ctx, anew)
	}
	return d.fast.Table(ctx, anew)
}

func (d *doubted) Read(ctx context.Context, pids []int32, detail Detail) ([]Usage, error) {
	d.examine(ctx)
	if d.refused != "" {
		return d.slow.Read(ctx, pids, detail)
	}
	usages, err := d.fast.Read(ctx, pids, detail)
	if err != nil || d.settled || len(usages) == 0 {
		return usages, err
	}
	slow, err := d.slow.Read(ctx, pids, detail)
	if err != nil {
		d.cannotCompare(err)
		return usages, nil
	}
	after, err := d.fast.Read(ctx, pids, detail)
	if err != nil {
		return usages, nil //nolint:nilerr // the reading itself succeeded; the next one is compared
	}
	reason := disagreement(usages, slow, after)
	if reason == "" {
		d.settled = true
		return usages, nil
	}
	if d.attempts++; d.attempts < maxAttempts {
		return usages, nil
	}
	d.refuse(reason)
	return slow, nil
}

// Commands are asked of the fast way in any case: it knows blanks within arguments from those between.
func (d *doubted) Commands(ctx context.Context, pids []int32) (map[int32][]string, error) {
	return d.fast.Commands(ctx, pids)
}

func (d *doubted) listeners(ctx context.Context, at place, port uint16) ([]listener, error) {
	return d.fast.listeners(ctx, at, port)
}

func (d *doubted) ResetPeaks(ctx context.Context, pids []int32) { d.fast.ResetPeaks(ctx, pids) }

func (d *doubted) manner() manner {
	m := d.fast.manner()
	if d.refused != "" {
		m = d.slow.manner()
		m.doubt = d.refused
	} else if d.unsure != "" {
		m.doubt = d.unsure
	}
	return m
}

// examine holds the fast way against ps and against a known weight, of this process, once.
func (d *doubted) examine(ctx context.Context) {
	if d.examined {
		return
	}
	d.examined = true
	var err error
	for range maxAttempts { // the rest of the program may take and give back memory meanwhile
		if err = d.examineSelf(ctx); err == nil {
			return
		}
	}
	d.refuse(err.Error())
}

func (d *doubted) examineSelf(ctx context.Context) error {
	read := func() (Usage, error) { return one(ctx, d.fast, d.self) }
	if err := d.weigh(read); err != nil {
		return err
	}
	before, err := read()
	if err != nil {
		return err
	}
	slow, err := one(ctx, d.slow, d.self)
	if err != nil {
		d.cannotCompare(err)
		return nil
	}
	after, err := read()
	if err != nil {
		return err
	}
	if reason := disagreement([]Usage{before}, []Usage{slow}, []Usage{after}); reason != "" {
		return errors.New(reason)
	}
	return nil
}

// one reads one process with all that its Source can tell.
func one(ctx context.Context, s Source, pid int32) (Usage, error) {
	usages, err := s.Read(ctx, []int32{pid}, Detail{Peak: true, PSS: true})
	switch {
	case err != nil:
		return Usage{}, err
	case len(usages) != 1:
		return Usage{}, fmt.Errorf("process %d is not there", pid)
	}
	return usages[0], usages[0].Err
}

func (d *doubted) refuse(reason string) {
	d.refused, d.settled = reason, true
	d.log.Warn("What the kernel says of memory is not what ps says; ps is used, and no footprint is known",
		"reason", reason, "interval", psInterval)
}

func (d *doubted) cannotCompare(err error) {
	d.settled = true
	d.unsure = fmt.Sprintf("not compared with ps: %v", err)
	d.log.Warn("What the kernel says of memory could not be compared with what ps says", "err", err)
}

// Tolerance of a comparison: what memory may change by while ps runs.
const (
	toleranceShare = 10 // per cent
	toleranceBytes = 4 << 20
	toleranceBirth = 1000 // ms: ps tells whole seconds
)

// disagreement says in what ps and the readings before and after it differ; nothing where they agree.
// Processes that are not in all three, or that have died, say nothing.
func disagreement(before, slow, after []Usage) string {
	for _, s := range slow {
		b, a := find(before, s.PID), find(after, s.PID)
		if b == nil || a == nil || b.Created != a.Created || s.RSS == 0 {
			continue
		}
		if born := s.Created - b.Created; max(born, -born) > toleranceBirth {
			return fmt.Sprintf("process %d was born at %d by the kernel, at %d by ps (ms since 1970)", s.PID, b.Created, s.Created)
		}
		low, high := min(b.RSS, a.RSS), max(b.RSS, a.RSS)
		slack := high/100*toleranceShare + toleranceBytes
		if s.RSS+slack < low || s.RSS > high+slack {
			return fmt.Sprintf("process %d has a resident memory of %d to %d bytes by the kernel, of %d by ps", s.PID, low, high, s.RSS)
		}
	}
	return ""
}

// find returns what could be read of a process; nil where nothing could.
func find(usages []Usage, pid int32) *Usage {
	i := slices.IndexFunc(usages, func(u Usage) bool { return u.PID == pid && u.Err == nil })
	if i < 0 {
		return nil
	}
	return &usages[i]
}
