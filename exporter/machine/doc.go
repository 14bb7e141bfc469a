// Package machine watches the conditions under which this machine works: what its tasks wait for, whether it is slowed
// down for heat, and how fast its CPUs may run.
//
//	Source (files of Linux, sysctls of macOS) → Sampler → Current, workload.Conditions
//
// Whose conditions: those of the machine that the exporter runs on, where exo's API is on the same one. Another machine's
// are told by a memory agent there.
//
// When: every five seconds, and at both ends of the time in which a turn's requests are measured. A sample reads a few
// small files, or runs one small program on macOS; a scrape reads what the last one left in memory.
package machine
