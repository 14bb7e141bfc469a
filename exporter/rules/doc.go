// Package rules generates Prometheus' recording and alerting rules for the exporter's metrics.
//
// How fast a model is against what is normal for it, the exporter judges itself, turn by turn: the
// alerts on speed repeat its verdicts and are the same for every cycle interval. The others, on
// failures, old figures and memory, look back over a number of cycles. Their windows follow from the
// cycle interval, and the rules for one interval are wrong for another, which the rules themselves watch.
package rules
