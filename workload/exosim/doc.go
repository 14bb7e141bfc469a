// Package exosim simulates a node of exo: the wire format, the life of instances and
// runners, the timing of prefill and decode, and the ways in which all of that goes wrong.
// It computes nothing; its answers are made-up words that come at the pace of a Profile.
//
// A Node is an http.Handler. Every answer carries the header X-Exo-Sim, and everything that
// exo itself does not have lives under /_sim/, so that nobody mistakes it for exo.
//
// The Node knows when it really wrote each event (Truth), and its faults (Fault) and the
// work of strangers can be changed while it runs. All durations are taken from timers, so a
// Node made inside a testing/synctest bubble and reached through Node.Transport runs in
// virtual time.
//
// This package is the front. Behind it are rooms that know nothing of each other's inside:
//
//	pace    models, prompts, and the generation of tokens in time
//	truth   what was really done for each request
//	faults  what can go wrong, and the book of what does
//	wire    documents and streams of both generations, byte by byte
//	world   what the others share: clock, lifetime, models, processes
//	exo1    exo 1.x: catalogue, instances, runners, tasks, state
//	exo0    legacy exo: one engine, one model at a time
//	link    connections in memory
//
// What is left out: images, the Claude, Responses and Ollama APIs, downloads on request,
// traces, and exo's /events log, which is answered with 404 because no client should ever
// read it. Of a cluster only a single node is simulated.
package exosim
