package exo

import (
	"context"
	"errors"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
)

// diagnosis bounds the look at an instance after a request to it failed.
const diagnosis = 5 * time.Second

// openExo1 chooses the id for m and has an instance of it ready.
func (c *Client) openExo1(ctx context.Context, m workload.Model) (*session, error) {
	ids := candidates(workload.DialectExo1, m)
	id := ids[0]
	if len(ids) > 1 {
		listed, err := c.catalogue(ctx, workload.DialectExo1)
		if err != nil {
			return nil, err
		}
		id, _ = choose(ids, listed)
	}
	manager, err := c.Instances()
	if err != nil {
		return nil, err
	}
	lease, err := manager.Acquire(ctx, id)
	if err != nil {
		return nil, err
	}
	s := &session{
		client: c, dialect: workload.DialectExo1, model: m.Name, id: id,
		load: lease.Load, release: lease.Release,
	}
	s.load.Owned, s.load.Shared = lease.Owned, lease.Shared
	s.diagnose = func(ctx context.Context) string {
		ctx, cancel := context.WithTimeout(ctx, diagnosis)
		defer cancel()
		var turn *workload.TurnError
		if !errors.As(lease.Check(ctx), &turn) {
			return "" // nothing, or exo cannot be asked
		}
		return turn.Reason
	}
	busy := false
	s.watch = func(ctx context.Context) func([]string) bool {
		if !busy {
			busy = c.stillBusy(ctx, manager, m.Name)
		}
		stop := lease.Watch(ctx)
		return func(own []string) bool {
			contended, why := stop(own...)
			if contended {
				c.log.Info("Somebody else's work ran beside a request; its rates are not published", "model", m.Name, "because", why)
			}
			return contended
		}
	}
	return s, nil
}

// stillBusy waits for other people's work to end. When it does not, or exo does not answer,
// the prompt is put all the same, for the model is loaded, and nothing is waited for again in
// the same turn: what runs beside a request marks it as contended, and a node that has gone
// shows in the request itself.
func (c *Client) stillBusy(ctx context.Context, manager *instance.Manager, model string) bool {
	err := manager.WaitIdle(ctx)
	var turn *workload.TurnError
	if errors.As(err, &turn) && turn.Outcome == workload.TurnSkipped {
		c.log.Warn("exo stays busy with other people's work; measuring beside it", "model", model, "because", turn.Reason)
	}
	return err != nil
}
