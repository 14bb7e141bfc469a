// Package render looks at the dashboards as their readers do.
//
// A state, such as a node of which one model fails, is made by the program itself: it measures the simulator in
// virtual time, what it exports is scraped into a TSDB, and Prometheus' rule engine evaluates our rules there. What would
// take days is a story: the turns of a measured cycle over and over, with noise and with what happens to them, which the
// program judges and exports as if it had measured them.
//
// A real Prometheus then answers what the panels ask. The package web turns the answers into pixels with Grafana's own
// components, at the oldest and the newest version that README names, and says what is to be read on them; the tests
// here hold that against what is true in the state.
package render
