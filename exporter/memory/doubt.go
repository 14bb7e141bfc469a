package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// doubted reads by a fast way that it does not take on trust: layouts and permissions are from the
// system's sources, and another release of the system may have others. Before the fast way is used
// it is held against ps, of this process; while it is used, of exo's. Where the two disagree in
// maxAttempts samples in a row ps is used from then on; the fast way's figures are in the samples
// before, and in all where ps cannot run.
type doubted struct {
	fast fastSource
	slow Source
	self int32
	// weigh puts a known weight on this process and says what is wrong with what read tells of it.
	weigh func(read func() (Usage, error)) error
	log   *slog.Logger

	examined bool   // this process was looked at
	attempts int    // comparisons of exo's processes that failed
	late     int    // comparisons that took too long
	settled  bool   // no further comparison is needed
	refused  string // why the fast way is not used; empty while it is
	unsure   string // why it could not be compared
}

// fastSource is a Source that knows when a process was born to the millisecond.
type fastSource interface {
	Source
	born(pid int32) (int64, bool)
}

// maxAttempts is how many comparisons of exo's processes in a row fail before the fast way is
// given up, as memory may change by more than the tolerance while ps runs; and how many take too
// long before there are no more, as the machine may be busy.
const maxAttempts = 3

func newDoubted(fast fastSource, slow Source, self int32, weigh func(func() (Usage, error)) error, log *slog.Logger) *doubted {
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
		slow, err := d.slow.Read(ctx, pids, detail)
		return d.birthsOf(slow), err
	}
	usages, err := d.fast.Read(ctx, pids, detail)
	if err != nil || d.settled || len(usages) == 0 || ctx.Err() != nil {
		return usages, err
	}
	slow, err := d.slow.Read(ctx, pids, detail)
	if err != nil {
		d.cannotCompare(ctx, err)
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
	return d.birthsOf(slow), nil
}

// birthsOf gives what ps says the fast way's times of birth, to the millisecond, where the two agree: by them a process is
// the one that it was before the fast way was given up, and not older than its parent.
func (d *doubted) birthsOf(slow []Usage) []Usage {
	for i := range slow {
		if created, ok := d.fast.born(slow[i].PID); ok && bornAlike(created, slow[i].Created) {
			slow[i].Created = created
		}
	}
	return slow
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
	}
	m.doubt = cmp.Or(m.doubt, d.unsure)
	return m
}

// examine holds the fast way against ps and against a known weight, of this process, once; again where there was no time
// for ps.
func (d *doubted) examine(ctx context.Context) {
	if d.examined || ctx.Err() != nil {
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
		d.examined = d.cannotCompare(ctx, err)
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

// cannotCompare takes in that ps gave nothing to compare with, and reports whether it is not to be asked again.
func (d *doubted) cannotCompare(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		if d.late++; d.late < maxAttempts {
			return false
		}
	}
	d.settled = true
	d.unsure = fmt.Sprintf("not compared with ps: %v", err)
	d.log.Warn("What the kernel says of memory could not be compared with what ps says", "err", err)
	return true
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
		if !bornAlike(s.Created, b.Created) {
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

// bornAlike reports whether two times of birth, in ms, can be of one process.
func bornAlike(a, b int64) bool { return max(a-b, b-a) <= toleranceBirth }

// find returns what could be read of a process; nil where nothing could.
func find(usages []Usage, pid int32) *Usage {
	i := slices.IndexFunc(usages, func(u Usage) bool { return u.PID == pid && u.Err == nil })
	if i < 0 {
		return nil
	}
	return &usages[i]
}
