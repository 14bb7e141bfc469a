package app

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/answers"
	"exo-bench-exporter/workload/judging"
	"exo-bench-exporter/workload/statefile"
)

// ErrInUse says that a running exporter keeps what is known.
var ErrInUse = errors.New("a running exporter keeps what is known")

// Accepted says what of a model is normal from now on.
type Accepted struct{ Speed, Answers bool }

// String says it to people.
func (a Accepted) String() string {
	switch {
	case a.Speed && a.Answers:
		return "The present speed is the normal one from now on, and the present answers are."
	case a.Answers:
		return "The present answers are the normal ones from now on; of the speed nothing is known."
	}
	return "The present speed is the normal one from now on; of the answers nothing is known."
}

// onRequest lets users do something by HTTP, if enabled, but no page that they look at.
func onRequest(enabled bool, off string, do http.HandlerFunc) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !enabled {
			http.Error(w, off, http.StatusForbidden)
			return
		}
		do(w, r)
	}))
}

// acceptHandler lets users accept the present speed and answers of a model by HTTP, if enabled.
func (b *Bench) acceptHandler(enabled bool) http.Handler {
	return onRequest(enabled, "Accepting a speed by HTTP is off; "+exporter.EnvPrefix+"WEB_ACCEPT=true allows it.",
		func(w http.ResponseWriter, r *http.Request) {
			accepted, err := b.accept(r.URL.Query().Get("model"))
			if err != nil {
				http.Error(w, fmt.Sprintf("It cannot be accepted: %v", err), http.StatusNotFound)
				return
			}
			_, _ = fmt.Fprintln(w, accepted)
		})
}

// accept takes the present speed and the present answers of a model as its normal ones, and shows it. The error is that nothing is
// known of either.
func (b *Bench) accept(model string) (a Accepted, err error) {
	if quality := b.book.Accept(model); quality != nil {
		a.Answers = true
		b.metrics.AnswersAccepted(model, quality)
		b.store.AnswersAccepted(model, quality)
	}
	err = b.clerk.Accept(model)
	a.Speed = err == nil
	if a.Answers {
		err = nil
	}
	return a, err
}

// AcceptIn takes the present speed and the present answers of a model as its normal ones where no exporter runs by cfg. The error is
// ErrInUse where one does, and judging.ErrUnknown where nothing is known of either.
func AcceptIn(cfg exporter.Config, model string) (a Accepted, err error) {
	speeds, known := filepath.Join(cfg.StateDir, judging.File), filepath.Join(cfg.StateDir, answers.File)
	for _, path := range []string{speeds, known} {
		release, ours := statefile.Lock(path)
		defer release()
		if !ours {
			return Accepted{}, ErrInUse
		}
	}
	err = judging.AcceptIn(speeds, model)
	if err != nil && !errors.Is(err, judging.ErrUnknown) {
		return Accepted{}, err
	}
	a.Speed = err == nil
	var failed error
	if a.Answers, failed = answers.AcceptIn(known, model); failed != nil || a.Answers {
		return a, failed
	}
	return a, err
}
