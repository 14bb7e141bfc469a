package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// version is that of the form in which a Judge is kept. Another one is not read: the records give
// all of it again.
const version = 3

// MarshalJSON returns all that j knows: the same bytes for the same turns.
func (j *Judge) MarshalJSON() ([]byte, error) { return json.Marshal(&j.state) }

// Encode writes to w what MarshalJSON returns, and a line feed, without another copy of it.
func (j *Judge) Encode(w io.Writer) error { return json.NewEncoder(w).Encode(&j.state) }

// Restore returns the Judge that MarshalJSON wrote. On an error, of another version too, the way
// back is a new Judge to which the records are added again.
func Restore(kept []byte, o Options) (*Judge, error) {
	j := New(o)
	var head struct{ Version int }
	if err := json.Unmarshal(kept, &head); err != nil {
		return nil, fmt.Errorf("read what the judge knew: %w", err)
	}
	if head.Version != version {
		return nil, fmt.Errorf("read what the judge knew: it has version %d, and this is %d", head.Version, version)
	}
	if err := json.Unmarshal(kept, &j.state); err != nil {
		return nil, fmt.Errorf("read what the judge knew: %w", err)
	}
	if !j.state.sound() {
		return nil, errors.New("read what the judge knew: it is incomplete")
	}
	return j, nil
}

// sound reports whether s can be what a Judge kept, so that nothing that follows has to ask.
func (s *state) sound() bool {
	ok := s.Models != nil && s.Node != nil && len(s.Models) <= maxModels && s.Memory.Tails != nil
	for _, n := range s.Node {
		ok = ok && n != nil && n.Series.sound()
	}
	for _, m := range s.Models {
		if m == nil || m.Rows == nil {
			return false
		}
		for _, r := range m.Rows {
			ok = ok && r != nil && r.Series.sound()
			if r == nil {
				continue
			}
			for _, all := range []map[string]*part{r.Parts.Prompts, r.Parts.Shapes} {
				for _, p := range all {
					ok = ok && p != nil
				}
			}
		}
	}
	return ok
}

func (s *series) sound() bool {
	return len(s.Points) <= maxPoints && s.Todo >= 0 && s.Todo <= len(s.Points) && len(s.Modes.Means) <= modeMeans &&
		(len(s.Points) == 0 || s.Belief.Var > 0)
}
