package exosim

import (
	"maps"
	"slices"
	"time"
)

// task is an entry of the state's tasks. As in exo those of a runner's life stay there, the
// last tasksKept of them; generations leave when they have ended.
type task struct {
	seq  int
	tag  string
	body map[string]any // camelCase
}

// tasksKept bounds how many tasks there are.
const tasksKept = 200

// addTask notes a completed task of a runner's life.
func (n *Node) addTask(i *instance, tag string, more map[string]any) {
	id := newUUID()
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
	n.mu.Lock()
	defer n.mu.Unlock()
	n.putTask(id, &task{tag: tag, body: body})
}

func (n *Node) putTask(id string, t *task) {
	n.taskSeq++
	t.seq = n.taskSeq
	n.tasks[id] = t
	if len(n.tasks) <= tasksKept {
		return
	}
	var oldest string
	for id, t := range n.tasks {
		if t.tag != "TextGeneration" && (oldest == "" || t.seq < n.tasks[oldest].seq) {
			oldest = id
		}
	}
	delete(n.tasks, oldest)
}

// newTextTask returns the task of a generation. Like exo's own it holds the whole prompt:
// whoever dumps the state leaks it.
func newTextTask(id, commandID string, i *instance, r chatRequest, bench bool) *task {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	input := make([]message, 0, len(r.Messages))
	for _, m := range r.Messages {
		input = append(input, message(m))
	}
	return &task{tag: "TextGeneration", body: map[string]any{
		"taskId": id, "taskStatus": "Pending", "instanceId": i.id, "commandId": commandID,
		"taskParams": map[string]any{
			"model": r.Model, "input": input, "instructions": nil, "max_output_tokens": r.MaxTokens,
			"temperature": r.Temperature, "seed": r.Seed, "stream": r.Stream, "bench": bench,
			"use_prefix_cache": r.UsePrefixCache,
		},
		"errorType": nil, "errorMessage": nil,
	}}
}

// taskStatus moves a task on. The body is replaced, not changed: it may be being encoded.
func (n *Node) taskStatus(id, status string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.tasks[id]
	if t == nil {
		return
	}
	body := maps.Clone(t.body)
	body["taskStatus"] = status
	n.tasks[id] = &task{seq: t.seq, tag: t.tag, body: body}
}

// endTask moves a generation's task to its last status, and out of the state a tick later.
func (n *Node) endTask(id, status string) {
	n.taskStatus(id, status)
	n.spawn(func() {
		_ = sleepUntil(n.ctx, time.Now().Add(n.scaled(planningTick)))
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.tasks, id)
	})
}

// wireTasks returns the state's tasks.
func (n *Node) wireTasks() map[string]any {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make(map[string]any, len(n.tasks))
	for id, t := range n.tasks {
		all[id] = map[string]any{t.tag: t.body}
	}
	return all
}

// RunningTasks returns how many text generations are Pending or Running, strangers' included.
func (n *Node) RunningTasks() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	running := 0
	for _, t := range n.tasks {
		if t.tag == "TextGeneration" && slices.Contains([]any{"Pending", "Running"}, t.body["taskStatus"]) {
			running++
		}
	}
	return running
}
