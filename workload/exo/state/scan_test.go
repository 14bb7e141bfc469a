package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"exo-bench-exporter/workload/exo/foreign"
)

// value reads any value by the scanner's own methods, as encoding/json would.
func (s *scanner) value() any {
	switch b := s.peek(); b {
	case '{':
		m := map[string]any{}
		s.object(func(key string) { m[key] = s.value() })
		return m
	case '[':
		l := []any{}
		s.array(func(int) { l = append(l, s.value()) })
		return l
	case '"':
		s.token()
		head, _ := s.text(1 << 20)
		return head
	case 't', 'f', 'n':
		s.skip()
		return map[byte]any{'t': true, 'f': false, 'n': nil}[b]
	default:
		f, _ := s.number()
		return f
	}
}

func FuzzScanner(f *testing.F) {
	for _, doc := range []string{
		`{"a":[1,-2.5e3,"x\ty\u00e9\ud83d\ude00",null,true,false,{}],"b":{"c":""}}`, `[]`, ` "x" `, `{"a":1,}`, `[1 2]`, `nul`, `"\ud800"`,
		`-inf`, `0x1`, `{"a" 1}`, ``,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var want any
		bad := json.Unmarshal(doc, &want) != nil
		s := newScanner(strings.NewReader(string(doc)))
		got := s.value()
		err := s.end()
		if errors.Is(err, ErrTooBig) || s.at > maxKey {
			return // bounds that encoding/json does not have
		}
		if !bad && err != nil && !strings.Contains(err.Error(), "number") {
			t.Errorf("%q: %v", doc, err)
		}
		if err == nil && !bad && fmt.Sprint(got) != fmt.Sprint(want) && json.Valid(doc) && strings.ToValidUTF8(string(doc), "") == string(doc) {
			t.Errorf("%q: got %v, want %v", doc, got, want)
		}
		again := newScanner(strings.NewReader(string(doc)))
		again.skip()
		if skipped := again.end(); (skipped == nil) != (err == nil) {
			t.Errorf("%q: read: %v, skipped: %v", doc, err, skipped)
		}
	})
}

// endless is a document that goes on for as long as it is read.
type endless struct{ head, again string }

func (e endless) reader(n int) io.Reader {
	parts := []io.Reader{strings.NewReader(e.head)}
	for range n {
		parts = append(parts, strings.NewReader(e.again))
	}
	return io.MultiReader(parts...)
}

// TestBounds reads documents that no exo sends. None may cost more memory than a state may.
func TestBounds(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name string
		part Part
		doc  io.Reader
		want string // of the error; "" for none
	}{
		{
			"32 MiB of one instance", Instances, endless{`{"i":{"MlxRingInstance":{"instanceId":"i","hostsByNode":"`, long}.reader(32),
			"ends too early",
		},
		{"32 MiB of a key", Instances, endless{`{"i`, long}.reader(32), "ends too early"},
		{
			"instances without end", Instances,
			counted(`{"i%d":{"MlxRingInstance":{"shardAssignments":{"modelId":"`+long[:200]+`","nodeToRunner":{"n":"r"}}}}`, 100_000),
			"larger than anything known",
		},
		{
			"runners without end", Runners, counted(`{"r%d":{"RunnerFailed":{"errorMessage":"`+long[:300]+`"}}`, 100_000),
			"larger than anything known",
		},
		{"20,000 nodes", Memories, counted(`{"n%d":{"ramTotal":{"inBytes":1}}`, 20_000), "more than 1024 nodes"},
		{
			"300,000 finished tasks", Tasks,
			counted(`{"t%d":{"TextGeneration":{"taskStatus":"Complete","commandId":"c","taskParams":{"input":"words"}}}`, 300_000), "",
		},
		{
			"open tasks without end", Tasks, counted(`{"t%d":{"TextGeneration":{"taskStatus":"Running","commandId":"c"}}`, 1_000_000),
			"larger than anything known",
		},
		{
			"a prompt of 64 MiB", Tasks,
			io.MultiReader(
				endless{`{"t":{"TextGeneration":{"taskParams":"`, long}.reader(64), strings.NewReader(`","taskStatus":"Running","commandId":"c"}}}`),
			),
			"",
		},
		{
			"downloads without end", Downloads, counted(`{"n%d":[{"DownloadOngoing":{"errorMessage":"`+long[:300]+`"}}]`, 100_000),
			"larger than anything known",
		},
		{"deep", Runners, endless{"", `{"r":`}.reader(1000), "nested deeper than 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := &measured{r: c.doc}
			var s Snapshot
			err := decodePart(doc, c.part, Query{}, &s)
			if doc.most > 100<<20 {
				t.Errorf("%d MiB of heap", doc.most>>20)
			}
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			runtime.KeepAlive(s)
		})
	}
}

// measured looks how large the heap is, once in a while.
type measured struct {
	r     io.Reader
	reads int
	most  uint64
}

func (m *measured) Read(p []byte) (int, error) {
	if m.reads++; m.reads%100 == 0 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		m.most = max(m.most, stats.HeapInuse)
	}
	return m.r.Read(p)
}

// counted is an object of n members, made while it is read; member begins with a brace.
func counted(member string, n int) io.Reader { return &members{member: member, n: n} }

type members struct {
	member string
	i, n   int
	made   bytes.Buffer
}

func (m *members) Read(p []byte) (int, error) {
	for m.made.Len() < len(p) && m.i <= m.n {
		sep := ","
		if m.i == 0 {
			sep = "{"
		}
		if m.i == m.n {
			m.made.WriteString("}")
		} else {
			fmt.Fprintf(&m.made, sep+m.member[1:], m.i)
		}
		m.i++
	}
	return m.made.Read(p)
}

func TestStrings(t *testing.T) {
	s := newScanner(strings.NewReader(`["a\u001b[1m b","` + strings.Repeat("é", 500) + `",7,"ok"]`))
	var got []string
	s.array(func(int) {
		v, _ := s.str(foreign.MaxID)
		got = append(got, v)
	})
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	if got[0] != "a\uFFFD[1m b" || !strings.HasSuffix(got[1], "é… (1000 bytes)") || len(got[1]) > foreign.MaxID || got[2] != "" ||
		got[3] != "ok" {
		t.Errorf("got %q", got)
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		key, name string
		want      bool
	}{
		{"inBytes", "inBytes", true},
		{"in_bytes", "inBytes", true},
		{"node_to_runner", "nodeToRunner", true},
		{"nodetorunner", "nodeToRunner", false},
		{"node_to_runners", "nodeToRunner", false},
		{"_node_to_runner", "nodeToRunner", false},
		{"node_", "nodeId", false},
		{"", "nodeId", false},
		{"temp", "temp", true},
	} {
		if is(c.key, c.name) != c.want {
			t.Errorf("is(%q, %q) is not %v", c.key, c.name, c.want)
		}
	}
}
