package judging

import (
	"context"
	"errors"
	"os"
	"time"

	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/record"
)

const (
	// maxRecords bounds how many bytes of records are read again, and rereadTime how long that may take:
	// half a year of five models every quarter of an hour.
	maxRecords = 256 << 20
	rereadTime = time.Minute
)

// errEnough ends reading.
var errEnough = errors.New("enough was read")

// recover makes what is known that of n: where it is of another node, out of the records.
func (c *Clerk) recover(ctx context.Context, n Node) {
	c.mu.Lock()
	known := c.sheet != nil && c.sheet.node == n
	if !known {
		c.verdicts = nil
	}
	c.mu.Unlock()
	if known {
		return
	}
	sheets, _ := c.reread(ctx, n.Target)
	if sheets[n] == nil {
		sheets[n] = newSheet(n)
	}
	c.put(sheets[n])
}

// begin makes what is lost again of the records: what is known of the node that was measured last at the
// address. Whether it still is that one shows with the first answer.
func (c *Clerk) begin(ctx context.Context) {
	c.mu.Lock()
	lost := c.sheet == nil
	c.mu.Unlock()
	if !lost {
		return
	}
	if sheets, last := c.reread(ctx, c.o.What().Target); sheets[last] != nil {
		c.put(sheets[last])
	}
}

// reread returns what the records say of the nodes at target, and which was measured last.
func (c *Clerk) reread(ctx context.Context, target string) (sheets map[Node]*sheet, last Node) {
	sheets = map[Node]*sheet{}
	if c.o.Records == "" {
		return sheets, last
	}
	start, turns := time.Now(), 0
	_, err := record.EachTurn(c.o.Records, maxRecords, func(r record.Record) error {
		if ctx.Err() != nil || time.Since(start) > rereadTime {
			return errEnough
		}
		turn := judge.Of(*r.Turn)
		if r.Target != target || turn.Model == "" || len(turn.Samples) == 0 {
			return nil
		}
		last = Node{target, r.Simulated}
		if sheets[last] == nil {
			sheets[last] = newSheet(last)
		}
		sheets[last].add(turn, r.Suite.SHA256)
		turns++
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errEnough):
		c.o.Logger.Warn("The records of results cannot be read to the end; what was normal is learnt anew from there",
			"file", c.o.Records, "err", err)
	case turns > 0:
		c.o.Logger.Info("What is normal of the models' speed was made again of the records", "file", c.o.Records, "turns", turns,
			"took", time.Since(start).Round(time.Millisecond), "whole", err == nil)
	}
	return sheets, last
}
