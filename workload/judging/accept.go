package judging

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"exo-bench-exporter/workload/regular"
	"exo-bench-exporter/workload/statefile"
)

// ErrUnknown marks errors about a model of which nothing is known.
var ErrUnknown = errors.New("nothing is known of the speed of this model")

// Accept takes the present speed of a model as its normal one. The error is ErrUnknown.
func (c *Clerk) Accept(model string) error {
	now := c.o.What()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sheet == nil || c.sheet.node != now.Node || !c.sheet.judge.Accept(model) {
		return fmt.Errorf("%w: %q", ErrUnknown, model)
	}
	before := c.verdicts
	c.verdicts, c.changed = c.sheet.judge.Verdicts(), true
	c.o.Logger.Info("The present speed of a model is its normal one from now on", "model", model)
	c.say(before)
	select {
	case c.queue <- event{}: // which has it written
	default:
	}
	return nil
}

// AcceptIn is Accept for the file at path, of which the caller holds the lock.
func AcceptIn(path, model string) error {
	content, err := regular.Read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %q: there is no %s", ErrUnknown, model, path)
	}
	if err != nil {
		return err
	}
	s, err := decode(content)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !s.judge.Accept(model) {
		return fmt.Errorf("%w: %q", ErrUnknown, model)
	}
	var kept bytes.Buffer
	if err := s.encode(&kept); err != nil {
		return err
	}
	return statefile.Write(path, kept.Bytes())
}
