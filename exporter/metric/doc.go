// Package metric declares metric families once: what a family is called and means, and how a
// value of it follows from a record (a request's result, a turn, a status). Registering it,
// creating its series, feeding, withdrawing and deleting them, and its documentation all follow
// from the declaration.
//
//	Groups (declared) → Register → Feed → With(labels) → Series → Record
//
// A Group is fed by events, and its counters remember them. A Snapshot asks a source for its
// records at every scrape. client_golang does the rest.
package metric
