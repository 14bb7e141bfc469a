package answer

import (
	"strings"

	"exo-bench-exporter/workload"
)

// mostChecked bounds, in bytes, how much of an answer to a question is looked at.
const mostChecked = 4096

// check holds the answer to a question until it is judged.
type check struct {
	expect  *workload.Expectation
	said    *strings.Builder // behind a pointer, which fmt does not follow
	thought bool             // some of the answer was marked as thought
	pieces  int              // of what was not
}

func (c *check) add(text string, thought bool) {
	if c.thought = c.thought || thought; thought {
		return
	}
	c.pieces++
	c.said.WriteString(text[:min(len(text), max(0, mostChecked-c.said.Len()))])
}

// The marks round thoughts of models whose server leaves them in the answer.
const (
	thoughtBegins = "<think>"
	thoughtEnds   = "</think>"
)

// verdict judges what was said after the thoughts. Thoughts that were cut off are no answer, neither right nor wrong; exo
// does not mark the last piece of such as a thought.
func (c *check) verdict(finish string) workload.Verdict {
	if c.thought && finish == finishLength && c.pieces <= 1 {
		return workload.VerdictThought
	}
	text := c.said.String()
	c.said.Reset()
	if i := strings.LastIndex(text, thoughtEnds); i >= 0 {
		text, c.thought = text[i+len(thoughtEnds):], true
	} else if strings.HasPrefix(strings.TrimSpace(text), thoughtBegins) {
		return workload.VerdictThought
	}
	switch {
	case c.expect.Met(text):
		return workload.VerdictRight
	case c.thought && strings.TrimSpace(text) == "":
		return workload.VerdictThought
	}
	return workload.VerdictWrong
}
