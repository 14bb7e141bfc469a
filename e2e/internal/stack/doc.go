// Package stack runs the real programs for end-to-end tests: the two binaries of this
// repository, Prometheus, Alertmanager and whatever else tools/install.sh installs.
//
// What is started is ended with the test that started it, and what it printed is shown when
// that test has failed.
package stack
