// Package memory watches what exo's process tree takes of this machine's memory.
//
//	Source (processes, sockets) → finder (root of exo's tree) → tree → Sampler → workload.Memory
//
// Whose memory: that of the process which listens on the port of exo's API, and of everything
// that descends from it. exo 1.x starts one process for each instance whose command line names
// neither exo nor the model, so names cannot find the weights; parentage can. Where it cannot be
// told who listens, nothing is measured and Visibility says why: a process that only looks like
// exo, by its name or by a pid file, may be another exo.
//
// When: the Sampler reads the known processes at a short interval during a turn and at a
// long one between turns, and looks for new ones whenever a turn changes its phase. A
// scrape only reads what the last sample left in memory.
//
// What, each as a sum over the processes, in bytes: the resident set sizes, of which pages that processes
// share count more than once, and which on Apple silicon may hold all, part or none of a model's weights; the
// footprint, on a Mac the physical footprint with the GPU's buffers in it, on Linux the proportional set
// size with what is swapped out; and on Linux the memory of NVIDIA's GPUs, which is in none of the others.
// What one process of the tree does not tell is not told of the tree, but for the resident set sizes.
// exo's own peak_memory_usage belongs beside these figures and is never added to them.
package memory
