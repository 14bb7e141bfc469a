package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"exo-bench-exporter/app"
	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/exo/foreign"
)

func acceptCommand() command {
	return command{
		name: "accept", args: " -model M", summary: "take the present speed and answers of a model as its normal ones",
		help: `Takes the present speed and answers of a model as its normal ones, on this node alone, and ends what is said of it.
A running exporter is asked at EXOBENCH_LISTEN_ADDRESS, where EXOBENCH_WEB_ACCEPT=true allows it; where none
runs, what is kept in EXOBENCH_STATE_DIR is changed. Alerts about the model's speed and answers end with it.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			model := fs.String("model", "", "`name` of the model, as in EXOBENCH_MODELS")
			return func(ctx context.Context, inv invocation) int { return accept(ctx, inv, *model) }
		},
	}
}

func accept(ctx context.Context, inv invocation, model string) int {
	cfg, err := exporter.LoadConfig(inv.env)
	switch {
	case err != nil:
	case model == "":
		err = errors.New("accept: want -model, with the name of a model")
	case cfg.Mode == exporter.ModeMemory:
		err = errors.New("accept: EXOBENCH_MODE=memory measures no speed")
	}
	if err != nil {
		return fail(inv.stderr, err)
	}
	said := ""
	accepted, err := app.AcceptIn(cfg, model)
	switch {
	case errors.Is(err, app.ErrInUse):
		said, err = askToAccept(ctx, cfg, model)
	case err == nil:
		said = accepted.String()
	}
	if err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter accept:", err)
		return exitFailed
	}
	fmt.Fprintf(inv.stdout, "%s: %s\n", model, said)
	return exitOK
}

// acceptTimeout bounds how long a running exporter may take to answer.
const acceptTimeout = 5 * time.Second

// askToAccept has the exporter that runs on this machine accept what is known of the model, and returns what it says.
func askToAccept(ctx context.Context, cfg exporter.Config, model string) (said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	heard := false
	path := "/-/accept?model=" + url.QueryEscape(model)
	err = callRunning(ctx, cfg.ListenAddress, http.MethodPost, path, func(address string, resp *http.Response) (bool, error) {
		heard = true
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		said = foreign.Cut(strings.TrimSpace(string(body)), len(body)+1)
		switch resp.StatusCode {
		case http.StatusOK:
			return true, nil
		case http.StatusUnauthorized:
			return true, fmt.Errorf("the exporter asks for a password: curl -u USER -X POST %q", address)
		}
		// A server of TLS answers a bad request to plain HTTP.
		return resp.StatusCode != http.StatusBadRequest, errors.New(said)
	})
	if err != nil && !heard {
		return "", fmt.Errorf("an exporter keeps the file, and does not answer: %w", err)
	}
	return said, err
}
