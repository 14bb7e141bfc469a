package exosim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type activeFault struct {
	Fault
	expires time.Time // zero for never
}

// pathKinds are the kinds that can strike any request below a path.
var pathKinds = []Kind{HTTPError, Text500, Unprocessable, Stall}

// Inject makes f go wrong from now on and returns the fault's id.
func (n *Node) Inject(f Fault) (string, error) {
	if _, ok := scopes[f.Kind]; !ok {
		return "", fmt.Errorf("unknown kind of fault %q; the kinds are %v", f.Kind, Kinds())
	}
	if f.Kind == Slow && f.Percent >= 100 {
		return "", fmt.Errorf("a model cannot be slowed by %g %%: give less than 100", f.Percent)
	}
	if f.Model != "" && !slices.ContainsFunc(n.profiles, func(p *Profile) bool { return p.is(f.Model) }) {
		return "", fmt.Errorf("the node has no model %q to strike", f.Model)
	}
	if f.Path != "" && !slices.Contains(pathKinds, f.Kind) {
		return "", fmt.Errorf("a fault of kind %s cannot strike a path; %v can", f.Kind, pathKinds)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faultSeq++
	f.ID, f.Struck = "fault-"+strconv.Itoa(n.faultSeq), 0
	a := &activeFault{Fault: f}
	if f.Seconds > 0 && f.Kind != Stall && f.Kind != Election {
		a.expires = time.Now().Add(n.scaled(seconds(f.Seconds)))
	}
	n.faults = append(n.faults, a)
	n.opts.Log.Info("fault injected", "id", f.ID, "kind", f.Kind, "model", f.Model)
	return f.ID, nil
}

// Clear ends the fault with this id, or all of them when id is empty, and returns how many
// it ended. What a fault has done already stays done.
func (n *Node) Clear(id string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := len(n.faults)
	n.faults = slices.DeleteFunc(n.faults, func(f *activeFault) bool { return id == "" || f.ID == id })
	return before - len(n.faults)
}

// Faults returns the faults that are in force.
func (n *Node) Faults() []Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expireFaults()
	faults := make([]Fault, 0, len(n.faults))
	for _, f := range n.faults {
		faults = append(faults, f.Fault)
	}
	return faults
}

func (n *Node) expireFaults() {
	now := time.Now()
	n.faults = slices.DeleteFunc(n.faults, func(f *activeFault) bool {
		return !f.expires.IsZero() && !now.Before(f.expires) || f.Count > 0 && f.Struck >= f.Count
	})
}

// active returns the newest lasting fault of this kind that concerns the model.
func (n *Node) active(kind Kind, model string) (Fault, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.activeLocked(kind, model)
}

func (n *Node) activeLocked(kind Kind, model string) (Fault, bool) {
	n.expireFaults()
	for _, f := range slices.Backward(n.faults) {
		if f.Kind == kind && n.concerns(f, model) {
			return f.Fault, true
		}
	}
	return Fault{}, false
}

// strike lets the oldest fault that match accepts strike the model, if there is one.
func (n *Node) strike(model string, match func(Fault) bool) (Fault, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.strikeLocked(model, match)
}

func (n *Node) strikeLocked(model string, match func(Fault) bool) (Fault, bool) {
	n.expireFaults()
	for _, f := range n.faults {
		if !match(f.Fault) || !n.concerns(f, model) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		f.Struck++
		n.opts.Log.Info("fault strikes", "id", f.ID, "kind", f.Kind, "model", model)
		return f.Fault, true
	}
	return Fault{}, false
}

// strikeRequest returns the fault that strikes a chat completion of the model.
func (n *Node) strikeRequest(model string) *Fault {
	f, ok := n.strike(model, func(f Fault) bool { return scopes[f.Kind] == ofRequest && f.Path == "" })
	if !ok {
		return nil
	}
	return &f
}

// strikeInstance returns the fault of this kind that strikes an instance of the model.
func (n *Node) strikeInstance(kind Kind, model string) (Fault, bool) {
	return n.strike(model, func(f Fault) bool { return f.Kind == kind })
}

// strikePath returns the fault that strikes any request for the path.
func (n *Node) strikePath(path string) (Fault, bool) {
	return n.strike("", func(f Fault) bool {
		return scopes[f.Kind] == ofRequest && f.Path != "" && strings.HasPrefix(path, f.Path)
	})
}

// concerns reports whether f, which may name a model in any way, strikes this one.
func (n *Node) concerns(f *activeFault, model string) bool {
	if f.Model == "" || model == "" || f.Model == model {
		return true
	}
	for _, p := range n.profiles {
		if p.is(f.Model) && p.is(model) {
			return true
		}
	}
	return false
}

// answerFault answers a request as f demands; false when f strikes later in the answer.
func (n *Node) answerFault(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case HTTPError:
		status, message := f.Status, f.Message
		setDefault(&status, http.StatusServiceUnavailable)
		setDefault(&message, http.StatusText(status))
		if n.opts.Dialect == Exo0 {
			detail(w, status, message)
		} else {
			refuse(w, status, message)
		}
	case Text500:
		text500(w)
	case Unprocessable:
		message := f.Message
		setDefault(&message, "Extra inputs are not permitted")
		unprocessable(w, invalid{Type: "extra_forbidden", Loc: []any{"body", "simulated"}, Msg: message})
	case Stall:
		if f.Path == "" {
			return false
		}
		n.hang(r, f)
	default:
		return false
	}
	return true
}

// hang keeps a request without an answer, for f.Seconds or until the client goes.
func (n *Node) hang(r *http.Request, f Fault) {
	takes := seconds(f.Seconds)
	setDefault(&takes, 24*time.Hour)
	timer := time.NewTimer(n.scaled(takes))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-n.ctx.Done():
	}
}

// slowdown returns by which factor everything the model does takes longer.
func (n *Node) slowdown(model string) float64 {
	if f, ok := n.active(Slow, model); ok {
		return 1 / (1 - f.Percent/100)
	}
	return 1
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
