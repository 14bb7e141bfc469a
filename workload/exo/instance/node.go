package instance

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// node is the node that instances live on.
type node struct {
	api   *httpapi.Client
	state *state.Reader
	log   *slog.Logger
	said  sync.Map // what was logged once
}

// lifecycle is what is looked at to see how instances stand.
const lifecycle = state.Instances | state.Runners

// look reads parts of the state. Calls that fail are repeated for as long as a master
// election may take.
func (n *node) look(ctx context.Context, q state.Query) (s state.Snapshot, err error) {
	err = retry(ctx, n.log, func() error {
		s, err = n.state.Look(ctx, q)
		return err
	})
	return s, err
}

// glance is look without repetition.
func (n *node) glance(ctx context.Context, q state.Query) (state.Snapshot, error) {
	return n.state.Look(ctx, q)
}

// sayOnce logs a message the first time that key comes up.
func (n *node) sayOnce(key, msg string, args ...any) {
	if _, dup := n.said.LoadOrStore(key, true); !dup {
		n.log.Info(msg, args...)
	}
}

// get reads a path, repeating calls that fail in passing for up to outageBound.
func (n *node) get(ctx context.Context, path string, out any) error {
	return retry(ctx, n.log, func() error { return n.api.Call(ctx, http.MethodGet, path, nil, out) })
}

// stream reads a document by what may be called several times, each time from its beginning.
func (n *node) stream(ctx context.Context, path string, read func(io.Reader) error) error {
	return retry(ctx, n.log, func() error { return n.api.Stream(ctx, http.MethodGet, path, httpapi.MaxStream, read) })
}

// retry calls f until it succeeds, fails for good, or has failed in passing for outageBound.
func retry(ctx context.Context, log *slog.Logger, f func() error) error {
	start := time.Now()
	for {
		err := f()
		if err == nil || !passing(err) || ctx.Err() != nil {
			return err
		}
		if since := time.Since(start); since >= outageBound {
			return fmt.Errorf("no success for %s: %w", since.Round(time.Second), err)
		}
		log.Debug("A call to exo failed and is repeated", "err", err)
		if sleep(ctx, retryInterval) != nil {
			return err
		}
	}
}
