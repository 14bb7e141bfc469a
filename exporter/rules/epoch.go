package rules

import "strings"

// EpochPart is a part of the method that exobench_epoch_info names in a label.
type EpochPart struct {
	Label string
	Name  string // for people
}

// EpochParts returns the parts of the method that people are told of when one changes.
func (Options) EpochParts() []EpochPart {
	return []EpochPart{
		{"sha256", "the workload"},
		{"dialect", "the API"},
		{"endpoint", "the route"},
		{"engine", "the engine"},
		{"version", "the engine's version"},
	}
}

// EpochLabels returns the labels of EpochParts, as PromQL lists them.
func (o Options) EpochLabels() string {
	var labels []string
	for _, p := range o.EpochParts() {
		labels = append(labels, p.Label)
	}
	return strings.Join(labels, ", ")
}
