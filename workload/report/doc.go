// Package report makes of kept turns what a person wants to read of them: the models side by side, what may be said of their
// order and of changes, distributions, the course of time with its events, and how all of it was measured.
//
//	records (files, Prometheus) → Of → Report → page.Write (HTML), Export (JSON)
//
// It decides nothing itself: order and differences are those of workload/compare, changes over time those of workload/judge,
// with their confidence. A figure that is not known says why. Neither prompts and answers nor the addresses, names and ids of
// nodes get into a Report, and the same records make the same one.
package report
