package exosim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestControls(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		id, _ := b.load(llama8b)
		if _, err := b.stream("/v1/chat/completions", chatBody(llama8b, "hi", 3)); err != nil {
			t.Fatal(err)
		}
		expect := func(method, path, body string, status int, want string) string {
			t.Helper()
			got, answer := b.do(method, path, body)
			if got != status || !strings.Contains(answer, want) {
				t.Errorf("%s %s: %d %s", method, path, got, answer)
			}
			return answer
		}
		expect("GET", "/_sim/", "", 200, "This is a simulator of exo.")
		expect("GET", "/_sim/nope", "", 404, "")
		expect("POST", "/_sim/faults", `{"kind":"slow","percent":10,"model":"mistral-7b"}`, 201, `{"id":"fault-1"}`)
		expect("POST", "/_sim/faults", `{"kind":"slow","percents":10}`, 400, `unknown field`)
		expect("POST", "/_sim/faults", `{"kind":"dragon"}`, 400, `unknown kind of fault`)
		expect("GET", "/_sim/faults", "", 200, `[{"id":"fault-1","kind":"slow","model":"mistral-7b","percent":10,"struck":0}]`)
		expect("DELETE", "/_sim/faults/fault-9", "", 200, `{"cleared":0}`)
		expect("DELETE", "/_sim/faults", "", 200, `{"cleared":1}`)
		expect("GET", "/_sim/calls", "", 200, `"POST /v1/chat/completions":1`)
		expect("GET", "/_sim/processes", "", 200, `{"pid":40961,"ppid":1,`)

		var truths []truthDocument
		if err := json.Unmarshal([]byte(expect("GET", "/_sim/truth?last=1", "", 200, `"end":"ok"`)), &truths); err != nil {
			t.Fatal(err)
		}
		var one truthDocument
		if err := json.Unmarshal([]byte(expect("GET", "/_sim/truth?id="+truths[0].ID, "", 200, "")), &one); err != nil {
			t.Fatal(err)
		}
		if one.Tokens != 3 || len(one.WriteTimes) != 3 || !near(one.DecodeRate, 48, 0.05) || one.TTFTSeconds <= 0 {
			t.Errorf("truth %+v", one)
		}
		expect("GET", "/_sim/truth?id=nope", "", 404, "")

		var placed struct{ ID string }
		if err := json.Unmarshal([]byte(expect("POST", "/_sim/strangers/instances", `{"model":"llama-3.2-1b"}`, 201, "")), &placed); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		expect("POST", "/_sim/strangers/tasks", `{"model":"llama-3.2-1b","tokens":50}`, 201, `{"id":"`)
		expect("POST", "/_sim/strangers/tasks", `{"model":"mistral-7b"}`, 400, `no instance found`)
		expect("POST", "/_sim/strangers/downloads", `{"model":"mistral-7b"}`, 400, `on the disk`)
		expect("POST", "/_sim/strangers/downloads", `{"model":"dragon"}`, 400, `no model`)
		pass(5 * time.Second)
		expect("DELETE", "/_sim/strangers/instances/"+placed.ID, "", 204, "")
		expect("DELETE", "/_sim/strangers/instances/nope", "", 404, "")
		expect("DELETE", "/_sim/instances/"+id+"/runner", "", 204, "")
		pass(5 * time.Second)
		expect("GET", "/_sim/instances", "", 200, fmt.Sprintf(`"deleted":[{"id":"%s"`, placed.ID))
	})
}

func TestCallsAreBounded(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		for i := range 1200 {
			b.node.calls.add(&http.Request{Method: "GET", URL: mustURL(fmt.Sprint("/x/", i))}, "/")
		}
		if calls := b.node.Calls(); len(calls) != 1001 || calls["other"] != 200 {
			t.Errorf("%d routes, %d others", len(calls), calls["other"])
		}
	})
}
