// Package workload holds what is measured and how: a Suite of fixed prompts, the
// Models that it is put to, and the Runner that cycles every model through the
// suite and hands each Result to its Observers.
//
//	Suite → Runner → Target (package exo) → Result → Observer
//
// A cycle is one pass over all models; a turn is one model's part of a cycle; a
// request is one prompt put to one model. The package knows neither exo's wire
// format (package exo does) nor Prometheus (package exporter does).
package workload
