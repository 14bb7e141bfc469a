package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"

	"exo-bench-exporter/exporter"
)

// serving says where and how a program serves.
type serving struct {
	address   string       // to listen on
	webConfig string       // path of the exporter toolkit's web configuration; empty for plain HTTP
	reload    bool         // whether a reload may be asked for by HTTP
	accept    bool         // whether a model's speed may be accepted by HTTP
	listener  net.Listener // instead of address; nil outside of tests
	hangup    <-chan os.Signal
}

// onHangup does what is to be done when the user hangs up, until ctx is done.
func (s serving) onHangup(ctx context.Context, do func()) {
	for {
		select {
		case <-s.hangup:
			do()
		case <-ctx.Done():
			return
		}
	}
}

func (s serving) listen() (net.Listener, error) {
	if s.listener != nil {
		return s.listener, nil
	}
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return nil, fmt.Errorf("cannot serve on EXOBENCH_LISTEN_ADDRESS %q: %w", s.address, err)
	}
	return l, nil
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// while serves front on l while the works run, until ctx is done. Where it cannot serve, it ends
// the works too.
func (s serving) while(ctx context.Context, l net.Listener, front *exporter.Front, log *slog.Logger, works ...func(context.Context)) error {
	if !isLoopback(l.Addr()) && !exporter.Guarded(s.webConfig) {
		log.Warn("Whoever reaches this address may read everything that is served, without TLS or a password; "+
			"EXOBENCH_LISTEN_ADDRESS=localhost:9955 keeps it to this machine, EXOBENCH_WEB_CONFIG_FILE guards it",
			"listen", l.Addr().String())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var err error
	wg.Go(func() {
		defer cancel()
		err = exporter.Serve(ctx, l, front, s.webConfig, log)
	})
	for _, work := range works {
		wg.Go(func() { work(ctx) })
	}
	front.SetReady(true)
	wg.Wait()
	if err == nil {
		log.Info("Stopped")
	}
	return err
}
