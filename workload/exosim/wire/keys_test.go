package wire

import (
	"encoding/json"
	"testing"
)

func TestRenameKeys(t *testing.T) {
	camel := `{"MlxRingInstance":{"instanceId":"aB_c","runnerToShard":{"1f-2A":{"nLayers":16,"x":[1.5,null,true,{"deviceRank":0}]}}}}`
	snake := `{"MlxRingInstance":{"instance_id":"aB_c","runner_to_shard":{"1f-2A":{"n_layers":16,"x":[1.5,null,true,{"device_rank":0}]}}}}`
	if got := string(RenameKeys([]byte(camel), ToSnake)); got != snake {
		t.Errorf("to snake_case: %s", got)
	}
	if got := string(RenameKeys([]byte(snake), ToCamel)); got != camel {
		t.Errorf("to camelCase: %s", got)
	}
}

// What a path leads to is what is there in the whole document.
func TestMember(t *testing.T) {
	for name, s := range map[string]State{
		"empty": {},
		"full":  {NodeMemory: map[string]any{"a": 1}, NodeBackends: map[string]any{}, Tasks: map[string]any{"t": 2}, LastEventAppliedIdx: 7},
	} {
		var whole map[string]json.RawMessage
		if err := json.Unmarshal(Encode(s), &whole); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"nodeMemory", "nodeBackends", "tasks", "lastEventAppliedIdx", "lastValues", "instances", "NodeMemory", ""} {
			want, there := whole[key]
			if got, ok := Member(s, key); ok != there || ok && string(Encode(got)) != string(want) {
				t.Errorf("%s: %s is %v, %t; want %s, %t", name, key, got, ok, want, there)
			}
		}
	}
}
