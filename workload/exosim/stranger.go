package exosim

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// PlaceStranger places an instance as another user of the node would, and returns its id.
// It is ready once its runner has gone through its states like any other.
func (n *Node) PlaceStranger(model string) (string, error) {
	p := n.profile(model)
	if p == nil || p.ExoID == "" || n.opts.Dialect == Exo0 {
		return "", fmt.Errorf("the node cannot place %q: it is no model of exo 1.x", model)
	}
	pl := placement{id: newUUID(), runnerID: newUUID(), profile: p, stranger: true}
	n.place(pl)
	return pl.id, nil
}

// DeleteStranger deletes an instance as another user would; false when there is none such.
func (n *Node) DeleteStranger(instanceID string) bool {
	i := n.find(instanceID)
	if i != nil {
		n.remove(i, EndedByStranger)
	}
	return i != nil
}

// StartStranger starts a generation of so many tokens as another user would, over a prompt
// of its own, and returns at once with its id. It waits like any other until the model is
// ready and slows the others down.
func (n *Node) StartStranger(model string, tokens int) (string, error) {
	p := n.profile(model)
	if p == nil {
		return "", fmt.Errorf("the node has no model %q", model)
	}
	req := chatRequest{
		Model: p.ExoID, MaxTokens: &tokens, Stream: true,
		Messages: []chatMessage{{Role: "user", Content: StrangerPrompt + strings.Repeat(" and so on", 20)}},
	}
	g := n.newGeneration(n.ctx, p, req, tokens, true)
	g.out = silence{n}
	if n.opts.Dialect == Exo0 {
		return n.startLegacyStranger(g)
	}
	i := n.leastLoaded(p.ExoID)
	if i == nil {
		return "", fmt.Errorf("no instance found for model %s", p.ExoID)
	}
	t := n.enter(g, i, req, true, false)
	t.useCache = true
	n.spawn(func() { _ = n.generate(n.ctx, g, t) })
	return g.truth.ID, nil
}

// StrangerPrompt opens the prompt of every stranger's generation. Nobody but the node's
// own state may ever show it.
const StrangerPrompt = "PRIVATE-PROMPT-OF-A-STRANGER"

func (n *Node) startLegacyStranger(g *generation) (string, error) {
	if g.profile.LegacyID == "" {
		return "", errors.New("legacy exo has no such model")
	}
	g.share = n.legacyShare
	g.truth.ID, g.truth.Model = "chatcmpl-"+newUUID(), g.profile.LegacyID
	n.mu.Lock()
	n.truths.add(g.truth)
	n.mu.Unlock()
	n.spawn(func() {
		err := n.generateLegacy(g)
		n.mu.Lock()
		defer n.mu.Unlock()
		g.truth.End, g.truth.Done = "ok", time.Now()
		if err != nil {
			g.truth.End = err.Error()
		}
	})
	return g.truth.ID, nil
}

// profile returns the model that ref, a workload name or an id, means; nil for none.
func (n *Node) profile(ref string) *Profile {
	for _, p := range n.profiles {
		if p.is(ref) {
			return p
		}
	}
	return nil
}

// silence is the sink of a stranger's answer.
type silence struct{ node *Node }

func (silence) keepAlive() error        { return nil }
func (silence) progress(_, _ int) error { return nil }

func (s silence) token(g *generation, _ token) error {
	now := time.Now()
	s.node.mu.Lock()
	defer s.node.mu.Unlock()
	g.truth.wrote(now, now)
	return nil
}
