package drill

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/e2e/internal/stack"
)

// configure puts the repository's configuration, a copy of which is in dir, into fast motion.
func configure(t *testing.T, dir, webhook, runbook string) {
	t.Helper()
	rules, status := stack.Run(t, nil, stack.Exporter, "rules", "-interval="+cycle.String(), "-runbook="+runbook)
	if status != 0 {
		t.Fatalf("exo-bench-exporter rules ends with status %d", status)
	}
	stack.WriteFile(t, filepath.Join(dir, "rules", "exobench.yml"), string(rules))

	change(t, filepath.Join(dir, "prometheus.yml"), func(config *yaml.Node) {
		global := at(t, config, "global")
		set(t, global, "scrape_interval", scrape.String())
		set(t, global, "scrape_timeout", scrape.String())
	})
	change(t, filepath.Join(dir, "alertmanager.yml"), func(config *yaml.Node) {
		route := at(t, config, "route")
		set(t, route, "group_wait", groupWait.String())
		set(t, route, "group_interval", groupInterval.String())
		name := at(t, route, "receiver").Value
		for _, receiver := range at(t, config, "receivers").Content {
			if at(t, receiver, "name").Value == name {
				set(t, at(t, receiver, "webhook_configs").Content[0], "url", webhook)
				return
			}
		}
		t.Fatalf("alertmanager.yml has no receiver %s, which its route names", name)
	})
}

// change edits a YAML file.
func change(t *testing.T, path string, edit func(*yaml.Node)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	edit(document.Content[0])
	if text, err = yaml.Marshal(&document); err != nil {
		t.Fatal(err)
	}
	stack.WriteFile(t, path, string(text))
}

// at returns the value under a key, which has to be there.
func at(t *testing.T, mapping *yaml.Node, key string) *yaml.Node {
	t.Helper()
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	t.Fatalf("line %d of the configuration: there is no %s", mapping.Line, key)
	return nil
}

// set replaces the value under a key, which has to be there.
func set(t *testing.T, mapping *yaml.Node, key, value string) {
	t.Helper()
	at(t, mapping, key).SetString(value)
}

// The fast motion. Where the configuration says minutes because a cycle takes a quarter of an
// hour, seconds stand here.
const (
	cycle  = 3 * time.Second
	scrape = time.Second
	// groupWait is longer than an outage of exo takes to raise first alerts about models and
	// then the one about exo that silences them.
	groupWait     = 6 * time.Second
	groupInterval = 4 * time.Second
	// quiet is how long after a message no other may come.
	quiet       = 4 * groupInterval
	quietCycles = 5
)
