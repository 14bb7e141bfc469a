package rules

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// panel is a panel of one of the dashboards in package grafana.
type panel struct{ dashboard, title string }

// id returns the id that grafana/src/dashboards/ids.ts gives a panel of that title.
func (p panel) id() int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.title))
	return int(h.Sum32()%1_000_000) + 1
}

// path returns the address of the panel by itself, below Grafana's.
func (p panel) path() string { return fmt.Sprintf("/d/%s?viewPanel=%d", p.dashboard, p.id()) }

const (
	overviewDashboard = "exobench-overview"
	modelDashboard    = "exobench-model"
	nodeDashboard     = "exobench-node"
)

// exporterDownPanel holds the runbook's section about a dead exporter, which cannot serve it.
var exporterDownPanel = panel{nodeDashboard, "When the exporter is down"}

// Shown says of an alert what it means in a few words, and which panel shows it: where it has a label model, and where
// it has none.
type Shown struct {
	Alert, Meaning  string
	ofModel, ofNode panel
}

// Anchor returns the anchor of the alert's section in the runbook.
func (s Shown) Anchor() string { return strings.ToLower(s.Alert) }

// Place is where an alert is shown.
type Place struct {
	About     string // model or node
	Dashboard string // uid
	Panel     int    // id
}

// Places returns where the alert is shown, by what it can be about.
func (s Shown) Places() []Place {
	var all []Place
	for _, p := range []struct {
		about string
		panel
	}{{"model", s.ofModel}, {"node", s.ofNode}} {
		if p.panel != (panel{}) {
			all = append(all, Place{p.about, p.dashboard, p.id()})
		}
	}
	return all
}

func aboutModel(alert, meaning string, p panel) Shown {
	return Shown{Alert: alert, Meaning: meaning, ofModel: p}
}

func aboutNode(alert, meaning string, p panel) Shown {
	return Shown{Alert: alert, Meaning: meaning, ofNode: p}
}

func aboutEither(alert, meaning string, ofModel, ofNode panel) Shown {
	return Shown{alert, meaning, ofModel, ofNode}
}

// shown are all alerts that the templates have.
var shown = []Shown{
	aboutNode("ExoBenchExporterDown", "the exporter cannot be scraped", panel{nodeDashboard, "Exporter and exo, up and down"}),
	aboutNode("ExoBenchAgentWithoutDriver", "an agent has lost its driver", panel{nodeDashboard, "Agents"}),
	aboutNode("ExoBenchExoDown", "exo does not answer", panel{nodeDashboard, "Exporter and exo, up and down"}),
	aboutModel("ExoBenchModelFailing", "requests to the model fail", panel{modelDashboard, "Failed requests"}),
	aboutModel("ExoBenchModelUnavailable", "exo cannot serve the model", panel{modelDashboard, "Turns"}),
	aboutEither("ExoBenchStale", "the figures are old", panel{modelDashboard, "Turns"}, panel{nodeDashboard, "Age of the newest result"}),
	aboutNode("ExoBenchWorkloadChanged", "what is measured has changed", panel{nodeDashboard, "Method"}),
	aboutNode("ExoBenchRulesIntervalMismatch", "the rules are for another interval", panel{nodeDashboard, "Cycle length against interval"}),
	aboutModel("ExoBenchThroughputDrop", "decodes slower than usual", panel{modelDashboard, "Speed against its baseline"}),
	aboutModel("ExoBenchThroughputCollapse", "lost much of its speed", panel{modelDashboard, "Speed against its baseline"}),
	aboutModel("ExoBenchThroughputDrift", "has been getting slower little by little", panel{modelDashboard, "Speed against its baseline"}),
	aboutModel("ExoBenchThroughputGain", "has become faster", panel{modelDashboard, "Speed against its baseline"}),
	aboutModel("ExoBenchUnstable", "is slower once more, as before", panel{modelDashboard, "Speed against its baseline"}),
	aboutNode("ExoBenchAllModelsSlow", "all models of the node are slow", panel{overviewDashboard, "Decode speed against its baseline"}),
	aboutModel("ExoBenchLatencyRegression", "takes longer to the first token", panel{modelDashboard, "First token against its baseline"}),
	aboutModel("ExoBenchAnswersDegraded", "answers worse than it used to", panel{modelDashboard, "Are they answers"}),
	aboutEither("ExoBenchMemoryGrowth", "exo holds more memory than a day ago",
		panel{modelDashboard, "Memory of the last turn"}, panel{nodeDashboard, "exo's resident memory"}),
	aboutModel("ExoBenchMemoryNotReleased", "exo keeps memory after unloading", panel{nodeDashboard, "Memory not given back"}),
	aboutNode("ExoBenchNodeMemoryLow", "the machine runs out of memory", panel{nodeDashboard, "Node memory"}),
}

// Shown returns all alerts with where they are shown.
func (Options) Shown() []Shown { return shown }

// DashboardURL returns a template, in Prometheus' language, of the address of the panel that shows the alert whose anchor
// Name is.
func (s signal) DashboardURL() (string, error) {
	i := slices.IndexFunc(shown, func(alert Shown) bool { return alert.Anchor() == s.Name })
	if i < 0 {
		return "", fmt.Errorf("the alert with the anchor %s is shown on no panel", s.Name)
	}
	var path string
	alert := shown[i]
	switch none := (panel{}); none {
	case alert.ofModel:
		path = alert.ofNode.path()
	case alert.ofNode:
		path = alert.ofModel.path()
	default:
		path = "{{ if $labels.model }}" + alert.ofModel.path() + "{{ else }}" + alert.ofNode.path() + "{{ end }}"
	}
	url := s.GrafanaURL + path + "{{ with $labels.instance }}&var-instance={{ . | urlquery }}{{ end }}"
	if alert.ofModel.dashboard == modelDashboard { // the only one that is about a model
		url += "{{ with $labels.model }}&var-model={{ . | urlquery }}{{ end }}"
	}
	return url, nil
}
