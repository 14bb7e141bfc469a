// Package rules generates Prometheus' recording and alerting rules for the exporter's metrics.
//
// The unit of evidence is the cycle: each cycle gives a model one value, however often it is
// scraped. Every window therefore follows from the cycle interval, and the rules for one
// interval are wrong for another, which the rules themselves watch.
//
// A model's cycle becomes one figure by comparing each prompt with its own baseline and taking
// the median over the prompts (its ratio), and one score by measuring the loss in units of that
// model's own noise (its deficit). An alarm needs several cycles of deficit; see Tuning.
package rules
