package exo1

import (
	"strings"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// hooks are prompts on which exo's runner fails for the sake of exo's own tests, and what it
// says then.
var hooks = []struct{ prompt, kind, message string }{
	{"EXO RUNNER MUST FAIL", "Exception", "Artificial runner exception - for testing purposes only."},
	{"EXO RUNNER MUST OOM", "ValueError", "[set_default_device] Cannot set gpu device without gpu backend."},
}

// hook fails the request and its runner when the prompt asks for that.
func (q *request) hook() error {
	for _, h := range hooks {
		if !strings.Contains(q.Prompt.Text, h.prompt) {
			continue
		}
		cause := corrupt + "\nRunner error: " + h.kind + ": " + h.message
		if q.node.opts.Variant == wire.V1071 {
			cause = "exitcode=None"
		}
		q.inst.die(failure{cause: cause})
		return &pace.Interruption{Event: h.message}
	}
	return nil
}
