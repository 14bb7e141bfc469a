package state

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
)

// Task is an entry of exo's tasks, of which nothing is read but what it is and how it stands:
// its parameters hold people's prompts.
type Task struct {
	ID       string
	Kind     string // variant, for example TextGeneration
	Status   string // Pending, Running, Complete, …
	Instance string
	Node     string // of the CreateRunner errand, else empty
	Command  string // id of the request; empty for exo's own errands
}

// Request reports whether the task is somebody's request. Others are exo's own errands: create
// a runner, download, load, warm up, shut down. An errand's status says little: a download, a
// shutdown, and a load whose runner died stay "Running" for ever.
func (t Task) Request() bool { return t.Command != "" }

// Open reports whether the task is pending or running.
func (t Task) Open() bool {
	return strings.EqualFold(t.Status, "Pending") || strings.EqualFold(t.Status, "Running")
}

// Heavy reports whether the task is an errand that keeps a node from other work: exo's worker
// does one at a time, and a load or a shutdown holds all requests on the node back.
func (t Task) Heavy() bool {
	switch t.Kind {
	case "CreateRunner", "ConnectToGroup", "LoadModel", "StartWarmup", "Shutdown":
		return !t.Request()
	}
	return false
}

// TaskList is one look at exo's tasks. exo keeps errands and canceled requests for ever, so
// that of most tasks only a hash of their id is held.
type TaskList struct {
	Open []Task // requests that are pending or running
	New  []Task // tasks that the look before, which the query named, did not have
	Of   []Task // tasks of the instance that the query named
	ids  []uint64
}

// Len returns how many tasks there are.
func (l *TaskList) Len() int { return len(l.ids) }

var idSeed = maphash.MakeSeed()

// has reports whether l, sorted, has the task.
func (l *TaskList) has(id uint64) bool {
	_, found := slices.BinarySearch(l.ids, id)
	return found
}

// task reads {"TextGeneration": {…}}.
func (s *scanner) task(key string) Task {
	var t Task
	kind := s.union(func() { t = Task{} },
		id("taskId", &t.ID), text("taskStatus", maxTag, &t.Status), id("instanceId", &t.Instance),
		id("boundNodeId", &t.Node), id("commandId", &t.Command))
	t.ID, t.Kind = cmp.Or(key, t.ID), kind
	return t
}

// tasks reads exo's tasks, with those in New that q.Since does not have; none where it is nil.
func (s *scanner) tasks(q Query) *TaskList {
	l := &TaskList{}
	s.byID(func(key string) {
		before := s.kept
		t := s.task(key)
		s.kept = before
		s.keep(8)
		hash := maphash.String(idSeed, t.ID)
		l.ids = append(l.ids, hash)
		open, fresh := t.Open() && t.Request(), q.Since != nil && !q.Since.has(hash)
		of := q.Instance != "" && t.Instance == q.Instance
		if open {
			l.Open = append(l.Open, t)
		}
		if fresh {
			l.New = append(l.New, t)
		}
		if of {
			l.Of = append(l.Of, t)
		}
		if open || fresh || of {
			s.keep(2 * itemCost)
		}
	})
	slices.Sort(l.ids)
	return l
}
