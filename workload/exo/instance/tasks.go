package instance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// taskFields are all that is ever decoded of a task. The decoder skips everything else in
// place, above all taskParams, which hold people's prompts.
type taskFields struct {
	Status     string `json:"taskStatus"`
	StatusSn   string `json:"task_status"`
	Instance   string `json:"instanceId"`
	InstanceSn string `json:"instance_id"`
	Command    string `json:"commandId"`
	CommandSn  string `json:"command_id"`
}

// task is a request that exo works on. exo's own errands (create a runner, download, load)
// have no command id and are no tasks here: a download errand stays "Running" for ever, and
// loading shows in the runners' status.
type task struct {
	instance, command string
}

// taskList holds the requests that are pending or running.
type taskList []task

// UnmarshalJSON reads exo's map of tasks by id, {"id": {"TextGeneration": {…}}}, or a list of
// tasks. Anything of another form is skipped.
func (l *taskList) UnmarshalJSON(b []byte) error {
	var byID map[string]taskEntry
	_ = json.Unmarshal(b, &byID)
	entries := slices.Collect(maps.Values(byID))
	if byID == nil {
		_ = json.Unmarshal(b, &entries)
	}
	*l = taskList{}
	for _, e := range entries {
		if e.active() && e.command() != "" {
			*l = append(*l, task{instance: e.Instance + e.InstanceSn, command: e.command()})
		}
	}
	return nil
}

type taskEntry struct{ taskFields }

func (e *taskEntry) UnmarshalJSON(b []byte) error {
	// An entry of another form decodes to nothing; the error names no content worth having.
	_ = json.Unmarshal(b, &e.taskFields)
	if e.status() != "" {
		return nil
	}
	var tagged map[string]taskFields
	_ = json.Unmarshal(b, &tagged)
	for _, f := range tagged {
		e.taskFields = f
	}
	return nil
}

func (f taskFields) status() string  { return f.Status + f.StatusSn }
func (f taskFields) command() string { return f.Command + f.CommandSn }

func (f taskFields) active() bool {
	return strings.EqualFold(f.status(), "Pending") || strings.EqualFold(f.status(), "Running")
}
