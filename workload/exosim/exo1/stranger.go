package exo1

import (
	"fmt"
	"time"

	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// PlaceStranger places an instance as another user of the node would, and returns its id.
// It is ready once its runner has gone through its states like any other.
func (n *Node) PlaceStranger(model string) (string, error) {
	p := n.Profile(model)
	if p == nil || p.ExoID == "" {
		return "", fmt.Errorf("the node cannot place %q: it is no model of exo 1.x", model)
	}
	pl := placement{id: world.UUID(), runnerID: world.UUID(), profile: p, stranger: true}
	n.place(pl)
	return pl.id, nil
}

// DeleteStranger deletes an instance as another user would; false when there is none such.
func (n *Node) DeleteStranger(instanceID string) bool {
	i := n.cluster.find(instanceID)
	if i != nil {
		n.remove(i, EndedByStranger)
	}
	return i != nil
}

// StartStranger starts a generation of so many tokens as another user would, over a prompt
// of its own, and returns at once with its id. It waits like any other until the model is
// ready and slows the others down.
func (n *Node) StartStranger(model string, tokens int) (string, error) {
	p := n.Profile(model)
	if p == nil {
		return "", fmt.Errorf("the node has no model %q", model)
	}
	i := n.cluster.leastLoaded(p.ExoID)
	if i == nil {
		return "", fmt.Errorf("no instance found for model %s", p.ExoID)
	}
	q := n.enter(i, ask{
		client: n.Context(), limit: tokens, exact: true, received: time.Now(),
		body: wire.ChatRequest{Model: p.ExoID, MaxTokens: &tokens, Stream: true, Messages: world.StrangersMessages()},
	})
	q.Out = &collected{event: n.event}
	n.Spawn(func() { _ = q.run(n.Context()) })
	return q.id, nil
}
