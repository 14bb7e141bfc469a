package wire

import "testing"

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
