// Package memory watches the resident memory of exo's process tree.
//
//	Source (process table) → finder (root of exo's tree) → tree → Sampler → workload.Memory
//
// Whose memory: exo's main process and everything that descends from it. exo 1.x starts one
// process for each instance whose command line names neither exo nor the model, so names
// cannot find the weights; parentage can.
//
// When: the Sampler reads the known processes at a short interval during a turn and at a
// long one between turns, and looks for new ones whenever a turn changes its phase. A
// scrape only reads what the last sample left in memory.
//
// What: sums of resident set sizes in bytes. On Apple silicon model weights sit largely
// outside the resident set; exo's own peak_memory_usage belongs beside these figures and is
// never added to them.
package memory
