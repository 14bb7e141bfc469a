package exosim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

const (
	llama8b = "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit"
	llama1b = "mlx-community/Llama-3.2-1B-Instruct-4bit"
	mistral = "mlx-community/Mistral-7B-Instruct-v0.3-4bit"
	r1      = "mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit"
)

// What the rooms take, which the tests know by its value.
const (
	mainRSS      = 350 << 20
	runnerRSS    = 310 << 20
	exo0RSS      = 420 << 20
	commandDelay = 15 * time.Millisecond
	noMemory     = "No cycles found with sufficient memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a node in virtual time with a client that calls it in process.
type bench struct {
	*testing.T
	node   *Node
	client *http.Client
}

// simulate runs f with a node inside a synctest bubble.
func simulate(t *testing.T, o Options, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := New(o)
		defer n.Close()
		f(&bench{T: t, node: n, client: &http.Client{Transport: n.Transport()}})
	})
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

// do sends a request and returns status and body.
func (b *bench) do(method, path, body string) (int, string) {
	b.Helper()
	req, err := http.NewRequest(method, "http://sim"+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	if res.Header.Get(Header) != "1" {
		b.Errorf("%s %s: header %s is missing", method, path, Header)
	}
	all, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, string(all)
}

// get decodes the JSON answer to a GET that must succeed.
func (b *bench) get(path string, v any) {
	b.Helper()
	status, body := b.do("GET", path, "")
	if status != http.StatusOK {
		b.Fatalf("GET %s: status %d: %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), v); err != nil {
		b.Fatalf("GET %s: %v in %s", path, err, body)
	}
}

// inject puts a fault into force.
func (b *bench) inject(f Fault) {
	b.Helper()
	if _, err := b.node.Inject(f); err != nil {
		b.Fatal(err)
	}
}

// place places the model as exo's own bench does and returns the instance's and runner's ids.
func (b *bench) place(model string) (instanceID, runnerID string) {
	b.Helper()
	var doc struct {
		Previews []struct {
			Instance json.RawMessage
			Error    *string
		}
	}
	b.get("/instance/previews?model_id="+model, &doc)
	for _, p := range doc.Previews {
		if p.Error != nil {
			continue
		}
		status, body := b.do("POST", "/instance", `{"instance":`+string(p.Instance)+`}`)
		if status != http.StatusOK {
			b.Fatalf("POST /instance: %d %s", status, body)
		}
		var in wire.TaggedInstance
		if err := json.Unmarshal(p.Instance, &in); err != nil {
			b.Fatal(err)
		}
		for runner := range in.Ring.ShardAssignments.RunnerToShard {
			runnerID = runner
		}
		return in.Ring.InstanceID, runnerID
	}
	b.Fatalf("no preview of %s can be placed: %+v", model, doc)
	return "", ""
}

// load places the model and waits until it is ready.
func (b *bench) load(model string) (instanceID, runnerID string) {
	b.Helper()
	instanceID, runnerID = b.place(model)
	for range 10_000 {
		for _, i := range b.node.Instances() {
			if i.ID == instanceID && i.Status == wire.RunnerReady {
				return instanceID, runnerID
			}
		}
		pass(10 * time.Millisecond)
	}
	b.Fatalf("%s never became ready: %+v", model, b.node.Instances())
	return "", ""
}

// runner returns the tag of the runner's status, empty when it has none.
func (b *bench) runner(id string) string {
	b.Helper()
	status, body := b.do("GET", "/state/runners/"+id, "")
	if status == http.StatusNotFound {
		return ""
	}
	var tagged map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &tagged); err != nil {
		b.Fatal(err)
	}
	for tag := range tagged {
		return tag
	}
	return ""
}

// event is one block of a stream, with the time at which it was read.
type event struct {
	text string
	at   time.Time
}

// open starts a streamed request.
func (b *bench) open(path, body string) *http.Response {
	b.Helper()
	res, err := b.client.Post("http://sim"+path, "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	return res
}

// events reads the stream to its end.
func events(r io.Reader) (all []event, err error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	s.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.Index(data, []byte("\n\n")); i >= 0 {
			return i + 2, data[:i], nil
		}
		return 0, nil, nil
	})
	for s.Scan() {
		all = append(all, event{s.Text(), time.Now()})
	}
	return all, s.Err()
}

// stream sends a request and reads the stream to its end.
func (b *bench) stream(path, body string) ([]event, error) {
	b.Helper()
	res := b.open(path, body)
	defer res.Body.Close()
	return events(res.Body)
}

// hangUp closes the answer, as a client does that has had enough.
func (b *bench) hangUp(res *http.Response) {
	b.Helper()
	if err := res.Body.Close(); err != nil {
		b.Error(err)
	}
}

// refused fails the test unless no connection can be made.
func (b *bench) refused() {
	b.Helper()
	res, err := b.client.Get("http://sim/node_id")
	if err == nil {
		b.hangUp(res)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		b.Errorf("error %v", err)
	}
}

// tokens returns the data events among all that carry a token.
func tokens(all []event) []event {
	var found []event
	for _, e := range all {
		if strings.HasPrefix(e.text, `data: {`) && !strings.HasPrefix(e.text, `data: {"error"`) {
			found = append(found, e)
		}
	}
	return found
}

func chatBody(model, prompt string, maxTokens int) string {
	return string(wire.Encode(map[string]any{
		"model": model, "stream": true, "max_tokens": maxTokens,
		"messages": []pace.Message{{Role: "user", Content: prompt}},
	}))
}
