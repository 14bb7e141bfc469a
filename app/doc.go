// Package app puts the exporter together. From a configuration it builds the whole program, once,
// for every command and for every test of the whole:
//
//	exporter.Config → wiring (what each part is told) → Bench or Agent (the parts, joined)
//
// What a program takes from the machine around it, its Seams give otherwise: the way to the
// node, the process table, the port. Nothing else is different in a test.
package app
