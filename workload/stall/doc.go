// Package stall watches the exporter's own process while it times a stream, so that what the
// exporter suffers is not taken for the model's slowness.
//
//	watch := watcher.Begin()
//	… read and stamp the stream …
//	if why := watch.End().Starved(stall.Stream{Gap: gap}); why != "" { the figures are not the model's }
//
// What it notices, and by what:
//
//   - the process stood still (SIGSTOP, a debugger, a hypervisor, a container's processor quota):
//     a tick that came late;
//   - its threads waited for a processor that others held: the scheduler's own account on Linux
//     (schedstat), and elsewhere the ticks that came late;
//   - its goroutines waited for a thread: the Go runtime's account;
//   - the machine slept, or its clock was set: wall clock and monotonic clock drift apart.
package stall
