package exo1

import (
	"maps"
	"slices"
	"sync"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// taskList holds the state's tasks. As in exo those of a runner's life stay there, the last
// tasksKept of them; generations leave when they have ended. It is safe for concurrent use.
type taskList struct {
	mu    sync.Mutex
	seq   int
	tasks map[string]task
}

type task struct {
	seq  int
	tag  string
	body map[string]any // camelCase; never changed, but replaced
}

const textGeneration = "TextGeneration"

// tasksKept bounds how many tasks there are.
const tasksKept = 200

func (l *taskList) put(id, tag string, body map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tasks == nil {
		l.tasks = map[string]task{}
	}
	l.seq++
	l.tasks[id] = task{l.seq, tag, body}
	if len(l.tasks) <= tasksKept {
		return
	}
	var oldest string
	for id, t := range l.tasks {
		if t.tag != textGeneration && (oldest == "" || t.seq < l.tasks[oldest].seq) {
			oldest = id
		}
	}
	delete(l.tasks, oldest)
}

// status moves a task on.
func (l *taskList) status(id, status string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.tasks[id]
	if !ok {
		return
	}
	t.body = maps.Clone(t.body)
	t.body["taskStatus"] = status
	l.tasks[id] = t
}

func (l *taskList) remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tasks, id)
}

// document returns the state's tasks, and how many there have been.
func (l *taskList) document() (all map[string]any, count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all = make(map[string]any, len(l.tasks))
	for id, t := range l.tasks {
		all[id] = map[string]any{t.tag: t.body}
	}
	return all, l.seq
}

// running returns how many text generations are Pending or Running.
func (l *taskList) running() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	running := 0
	for _, t := range l.tasks {
		if t.tag == textGeneration && slices.Contains([]any{"Pending", "Running"}, t.body["taskStatus"]) {
			running++
		}
	}
	return running
}

// RunningTasks returns how many text generations are Pending or Running, strangers' included.
func (n *Node) RunningTasks() int { return n.tasks.running() }

// addTask notes a completed task of a runner's life.
func (n *Node) addTask(i *instance, tag string, more map[string]any) {
	id := world.UUID()
	body := map[string]any{"taskId": id, "taskStatus": "Complete", "instanceId": i.id}
	maps.Copy(body, more)
	switch tag {
	case "CreateRunner":
		body["boundInstance"] = map[string]any{
			"instance": n.wireInstance(i), "boundRunnerId": i.runnerID, "boundNodeId": n.id,
		}
	case "DownloadModel":
		body["taskStatus"] = "Running" // exo never completes it
		body["shardMetadata"] = n.wireShard(i.profile)
	}
	n.tasks.put(id, tag, body)
}

// textTask returns the body of a generation's task. Like exo's own it holds the whole
// prompt: whoever dumps the state leaks it.
func textTask(id, commandID string, i *instance, r wire.ChatRequest, bench bool) map[string]any {
	return map[string]any{
		"taskId": id, "taskStatus": "Pending", "instanceId": i.id, "commandId": commandID,
		"taskParams": map[string]any{
			"model": r.Model, "input": append([]pace.Message{}, r.Messages...), "instructions": nil, "max_output_tokens": r.MaxTokens,
			"temperature": r.Temperature, "seed": r.Seed, "stream": r.Stream, "bench": bench,
			"use_prefix_cache": r.UsePrefixCache,
		},
		"errorType": nil, "errorMessage": nil,
	}
}

// endTask moves a generation's task to its last status, and out of the state a tick later.
func (n *Node) endTask(id, status string) {
	n.tasks.status(id, status)
	n.Spawn(func() {
		_ = n.Sleep(pace.PlanningTick)
		n.tasks.remove(id)
	})
}
