package instance

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"exo-bench-exporter/workload/regular"
	"exo-bench-exporter/workload/statefile"
)

// record is the proof that an instance is ours. It is on disk, with the instance's random id,
// before the instance is asked for and until the instance is known to be gone.
type record struct {
	Version  int       `json:"version"`
	Node     string    `json:"node"`  // URL by which the node was called
	Owner    string    `json:"owner"` // name of the owner's lock file
	Instance string    `json:"instance_id"`
	Model    string    `json:"model"`
	Created  time.Time `json:"created"`
	Nodes    int       `json:"nodes,omitempty"` // that it was placed on
	Kept     bool      `json:"kept,omitempty"`  // it stays between turns, and others may use it meanwhile
	// Processes are the processes of its runners on this machine, where they could be seen.
	Processes []string `json:"processes,omitempty"`

	before  []string // runners' processes before the instance was asked for
	counted bool     // they could be seen
	file    string
	seen    bool // the instance was listed at some time, so absence now means that it is gone
	unsure  bool // a call that creates it may still be under way inside exo
	void    bool // nothing that may be removed came of it
}

// proves reports whether the record proves that its instance is ours.
func (r *record) proves() bool { return r.Version == recordVersion && r.Instance != "" }

// settled reports whether an instance that is not listed now will never be.
func (r *record) settled() bool {
	age := time.Since(r.Created)
	return (r.seen && !r.unsure) || age >= lateBound || age < -lateBound
}

// store keeps records: one JSON file per instance in a directory that several exporters may
// share. Each owner holds the lock of a file of its own for as long as it lives, so a record
// whose owner's lock can be taken is an orphan.
type store struct {
	dir, node string

	mu    sync.Mutex
	owner string // empty until the directory was found usable
	lock  *os.File
	held  map[string]bool // files of records of instances in use: not to be swept
}

const (
	recordVersion = 2
	// guessVersion marks records whose instance may have been taken for ours only because it
	// appeared at the right time; some name none at all.
	guessVersion = 1

	recordPrefix = "instance-"
	ownerPrefix  = "owner-"
)

func newStore(dir, nodeURL string) *store {
	return &store{dir: dir, node: nodeURL, held: map[string]bool{}}
}

// open makes the directory usable and takes the owner's lock; it does nothing when that is done.
func (s *store) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock != nil {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("create state directory: %w", err)
	}
	for range 10 {
		name := ownerPrefix + rand.Text() + ".lock"
		f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("create lock in state directory: %w", err)
		}
		ok, err := statefile.TryLock(f)
		if err != nil {
			return errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close(), os.Remove(f.Name()))
		}
		if ok && sameFile(f) {
			s.owner, s.lock = name, f
			return nil
		}
		// A sibling that tidies up was faster than the lock.
		_ = f.Close()
	}
	return fmt.Errorf("lock state directory %s: another process keeps removing the lock", s.dir)
}

func sameFile(f *os.File) bool {
	mine, err1 := f.Stat()
	there, err2 := os.Stat(f.Name())
	return err1 == nil && err2 == nil && os.SameFile(mine, there)
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	records, unread := s.list()
	if unread == nil && !slices.ContainsFunc(records, func(r *record) bool { return r.Owner == s.owner }) {
		err = errors.Join(err, os.Remove(filepath.Join(s.dir, s.owner)))
	}
	s.lock, s.owner = nil, ""
	return err
}

// put writes r under this store's name and holds it.
func (s *store) put(r *record) error {
	if err := s.open(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Version, r.Node, r.Owner = recordVersion, s.node, s.owner
	if r.file == "" {
		r.file = recordPrefix + rand.Text() + ".json"
	}
	if err := s.write(r); err != nil {
		return err
	}
	s.held[r.file] = true
	return nil
}

// write replaces r's file atomically and durably.
func (s *store) write(r *record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	f, err := os.CreateTemp(s.dir, "tmp-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.dir, r.file))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write record: %w", err)
	}
	return s.syncDir()
}

func (s *store) syncDir() error {
	d, err := os.Open(s.dir)
	if err != nil {
		return fmt.Errorf("sync state directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync state directory: %w", err)
	}
	return nil
}

// drop forgets r: its instance is gone for good.
func (s *store) drop(r *record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, r.file)
	if err := os.Remove(filepath.Join(s.dir, r.file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove record: %w", err)
	}
	return s.syncDir()
}

// letGo keeps r's file but leaves it to the next sweep.
func (s *store) letGo(r *record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, r.file)
}

// list reads all records in the directory, whoever's. A file that is not a record is an error that
// names it, and is set aside, so that the error comes once; one of a newer version belongs to a
// newer exporter and stays. The others are returned all the same.
func (s *store) list() ([]*record, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("read state directory: %w", err)
	}
	var out []*record
	var errs []error
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), recordPrefix) || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		path := filepath.Join(s.dir, e.Name())
		r, err := readRecord(path)
		switch {
		case err == nil:
			out = append(out, r)
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, errNoRecord):
			aside := path + ".unusable"
			errs = append(errs, fmt.Errorf("%s is %w, and is set aside as %s", path, err, aside), os.Rename(path, aside))
		default:
			errs = append(errs, fmt.Errorf("record %s is left alone: %w", path, err))
		}
	}
	return out, errors.Join(errs...)
}

// maxRecord bounds the file of a record, in bytes.
const maxRecord = 1 << 20

// errNoRecord marks what no exporter has written.
var errNoRecord = errors.New("no record")

func readRecord(path string) (*record, error) {
	b, err := regular.Read(path, maxRecord)
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return nil, err
	}
	var form struct {
		Version int `json:"version"`
	}
	if err == nil {
		err = json.Unmarshal(b, &form)
	}
	if err == nil && form.Version > recordVersion {
		return nil, fmt.Errorf("version %d is newer than %d", form.Version, recordVersion)
	}
	r := &record{file: filepath.Base(path)}
	if err == nil {
		err = json.Unmarshal(b, r)
	}
	switch {
	case err == nil && r.Version != recordVersion && r.Version != guessVersion:
		err = fmt.Errorf("there is no version %d", r.Version)
	case err == nil && !isOwner(r.Owner):
		err = fmt.Errorf("its owner %q is not the name of a lock", r.Owner)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errNoRecord, err)
	}
	return r, nil
}

// isOwner reports whether name is one of an owner's lock in the state directory.
func isOwner(name string) bool {
	return filepath.Base(name) == name && strings.HasPrefix(name, ownerPrefix)
}
