package exo1

import (
	"maps"
	"slices"
	"sync"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// taskList holds the state's tasks. As in exo those of a runner's life stay there, and
// generations that the client has canceled, with their prompts; other generations leave when
// they have ended. It is safe for concurrent use.
type taskList struct {
	event func() // told of every change

	mu    sync.Mutex
	seq   int
	tasks map[string]task
}

type task struct {
	seq  int
	tag  string
	body map[string]any // camelCase; never changed, but replaced
}

const (
	textGeneration = "TextGeneration"
	canceled       = "Cancelled" // a task's status
)

// tasksKept bounds how many tasks there are; exo knows no bound.
const tasksKept = 2000

func (l *taskList) put(id, tag string, body map[string]any) {
	l.event()
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
	l.event()
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
	l.event()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tasks, id)
}

// document returns the state's tasks.
func (l *taskList) document() map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[string]any, len(l.tasks))
	for id, t := range l.tasks {
		all[id] = map[string]any{t.tag: t.body}
	}
	return all
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

// addTask notes a task of a runner's life, a completed one at first, and returns its id.
func (n *Node) addTask(i *instance, tag string, more map[string]any) string {
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
	return id
}

// textTask returns the body of a generation's task. Like exo's own it holds the whole
// prompt: whoever dumps the state leaks it.
func (n *Node) textTask(id, commandID string, i *instance, r wire.ChatRequest, bench bool) map[string]any {
	messages := append([]pace.Message{}, r.Messages...)
	params := map[string]any{
		"model": r.Model, "input": messages, "instructions": nil, "max_output_tokens": r.MaxTokens,
		"temperature": r.Temperature, "top_p": 0.9, "stream": r.Stream, "tools": nil, "bench": bench,
		"use_prefix_cache": r.UsePrefixCache, "top_k": nil, "stop": nil, "seed": r.Seed, "chat_template_messages": messages,
		"reasoning_effort": nil, "enable_thinking": nil, "logprobs": false, "top_logprobs": nil, "min_p": nil,
		"repetition_penalty": nil, "repetition_context_size": nil, "presence_penalty": nil, "frequency_penalty": nil,
		"images": []string{}, "image_hashes": map[string]string{},
	}
	if n.opts.Variant != wire.V1071 {
		params["prefill_endpoint"] = nil
	}
	return map[string]any{
		"taskId": id, "taskStatus": "Pending", "instanceId": i.id, "commandId": commandID,
		"taskParams": params, "errorType": nil, "errorMessage": nil,
	}
}

// endTask ends a generation's task, which leaves the state unless the client has canceled
// it.
func (n *Node) endTask(q *request, status string) {
	n.tasks.status(q.task, status)
	if status == canceled {
		n.addTask(q.inst, "CancelTask", map[string]any{"cancelledTaskId": q.task, "runnerId": q.inst.runnerID})
		return
	}
	n.Spawn(func() {
		_ = n.Sleep(commandDelay)
		n.tasks.remove(q.task)
	})
}
