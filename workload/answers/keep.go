package answers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"exo-bench-exporter/workload/regular"
	"exo-bench-exporter/workload/statefile"
)

// Load reads what was known, for a Book that Run keeps. A file that cannot be used is set aside, what is learnt begins anew, and
// the log says so; one that another exporter keeps is read and left alone.
func (b *Book) Load() {
	if b.release, b.ours = statefile.Lock(b.o.Path); !b.ours {
		b.o.Logger.Warn("Another exporter keeps what it knows of answers here; what this one learns is gone with it", "file", b.o.Path)
		b.Look()
		return
	}
	if err := statefile.Load(b.o.Path, maxFile, b.use); err != nil {
		b.o.Logger.Warn("What is known of earlier answers is lost", "err", err)
	}
}

// Look reads what is known without keeping anything, for a program that ends soon, beside which another one may run. Whoever
// keeps the file says what is wrong with it.
func (b *Book) Look() {
	if content, err := regular.Read(b.o.Path, maxFile); err == nil {
		_ = b.use(content)
	}
}

// use takes content for what is known.
func (b *Book) use(content []byte) error {
	d, err := decode(content)
	if err == nil {
		b.take(d)
	}
	return err
}

// take makes d what is known.
func (b *Book) take(d document) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.d = d
}

// save hands the Book to Run. b.mu is held.
func (b *Book) save() {
	b.d.prune()
	select {
	case <-b.waiting:
	default:
	}
	b.waiting <- b.d.encode()
}

// Run writes what comes until ctx is done, then what came before that, and gives the file up. That it cannot be written is said
// once; where it is not this Book's, nothing is.
func (b *Book) Run(ctx context.Context) {
	defer b.release()
	said := false
	write := func(content []byte) {
		if !b.ours {
			return
		}
		err := statefile.Write(b.o.Path, content)
		if err != nil && !said {
			b.o.Logger.Warn("What is known of answers cannot be saved; after a restart it is learnt anew", "file", b.o.Path, "err", err)
		}
		said = err != nil
	}
	for ctx.Err() == nil {
		select {
		case content := <-b.waiting:
			write(content)
		case <-ctx.Done():
		}
	}
	select {
	case content := <-b.waiting:
		write(content)
	default:
	}
}

// AcceptIn is Accept for the file at path, of which the caller holds the lock.
func AcceptIn(path, model string) (known bool, err error) {
	content, err := regular.Read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	d, err := decode(content)
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	if d.accept(model, "") == nil {
		return false, nil
	}
	return true, statefile.Write(path, d.encode())
}
