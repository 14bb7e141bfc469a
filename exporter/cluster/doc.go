// Package cluster lets exporters on several machines of one exo cluster follow the same turns,
// so that the memory of each machine is told by the model that is loaded on all of them.
//
//	workload.Runner → Feed (the driver: measures)  → HTTP → Follower (agent: watches only) → workload.Meter
//
// The driver says which model's turn it is and how far it has come; agents ask for that and are
// answered when it changes. What a prompt or an answer says is never part of it.
package cluster
