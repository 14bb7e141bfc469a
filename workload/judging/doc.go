// Package judging has a Judge follow what a program measures: beside the runner, over restarts, and for
// one node at a time.
//
//	Runner → Clerk (bounded queue) → judge.Judge → Verdicts
//	                               → file, at the end of a cycle
//
// Where the file is lost, what it held is made again of the records of results. A node that is simulated
// is another one than a real one at the same address, and what is known of one is never used for another.
package judging
