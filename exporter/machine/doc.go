// Package machine watches the conditions under which this machine works: what its tasks wait for, whether it is slowed
// down for heat, and how fast its CPUs may run.
//
//	Source (files of Linux, sysctls of macOS) → Sampler → Current, workload.Conditions
//
// Whose conditions: those of the machine that the exporter runs on, where exo's API is on the same one. Another machine's
// are told by a memory agent there.
//
// When: every five seconds, and at both ends of the time in which a turn's requests are measured. On Linux a sample reads
// three small files, and up to three of each CPU that tells how fast it may run, of which the rest is read once; on macOS it
// makes a call of the kernel and runs one small program. A scrape reads what the last one left in memory.
package machine
