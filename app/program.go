package app

import (
	"context"
	"errors"
	"fmt"

	"exo-bench-exporter/exporter"
)

// Program is what a configuration asks for: a *Bench or an *Agent.
type Program interface {
	// Serve listens, does the program's work and answers requests until ctx is done. The error
	// says why it could not.
	Serve(ctx context.Context) error
	// Close ends what building the program began. It is to be called once, after Serve.
	Close()
}

// ErrDemo marks errors of starting the built-in simulator. Every other error of Open and New
// means wrong usage or configuration.
var ErrDemo = errors.New("the simulator cannot be started")

// Open reads the configuration from environ and builds the program that it asks for. With demo
// the program measures the built-in simulator, which is started, instead of a node. Nothing else
// runs yet. The error is for the user.
func Open(environ map[string]string, demo bool, seams Seams) (Program, error) {
	cfg, err := exporter.LoadConfig(environ)
	if links := exporter.ServiceLinks(environ); err == nil && len(links) > 0 {
		seams.log(cfg).Info("Variables that Kubernetes sets for a Service are passed over; enableServiceLinks: false keeps them out",
			"variables", links)
	}
	switch {
	case err != nil:
		return nil, err
	case !demo:
		p, err := New(cfg, seams)
		load := func() (exporter.Config, error) { return exporter.LoadConfig(environ) }
		switch p := p.(type) {
		case *Bench:
			p.origin.load = load
		case *Agent:
			p.origin.load = load
		}
		return p, err
	case cfg.Mode == exporter.ModeMemory:
		return nil, errors.New("-demo measures, and EXOBENCH_MODE=memory does not: leave one of them out")
	}
	return openDemo(cfg, environ, seams)
}

// New builds the program that cfg asks for. Nothing runs yet. The error is for the user.
func New(cfg exporter.Config, seams Seams) (Program, error) {
	w, err := newWiring(cfg, seams)
	if err != nil {
		return nil, err
	}
	if cfg.Mode == exporter.ModeMemory {
		a, err := newAgent(cfg, w, seams)
		if err != nil {
			return nil, err
		}
		return a, nil
	}
	b, err := newBench(cfg, w, seams)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func openDemo(cfg exporter.Config, environ map[string]string, seams Seams) (Program, error) {
	d, err := startDemo(cfg, environ, seams.log(cfg))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDemo, err)
	}
	load := func() (exporter.Config, error) { return d.configure(environ) }
	if cfg, err = load(); err == nil {
		var p Program
		if p, err = New(cfg, d.seams(seams)); err == nil {
			b := p.(*Bench)
			b.demo, b.origin.load = d, load
			return b, nil
		}
	}
	d.close()
	return nil, err
}
