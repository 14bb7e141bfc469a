// Package exporter turns what the workload's Runner observes into metrics and serves them.
//
//	workload.Result → Observer → Metrics → registry → /metrics
//	                → Store → status page
//
// On further machines of a cluster, where nothing is measured, an Agent takes the place of
// Metrics and Store:
//
//	cluster.Follower → Agent → registry → /metrics
//	                         → status page
//
// Config is read from EXOBENCH_ variables. A scrape reads memory only: it asks neither exo
// nor the operating system about exo's processes.
package exporter
