package render

import (
	"math/rand/v2"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// TestTurnsThatAreTold holds the turns of a month against what a runner makes of such moments: none is good while exo is away or
// the model fails, and a cycle is as good as its turns.
func TestTurnsThatAreTold(t *testing.T) {
	const good, night, away = 5 * time.Hour, 2*day + time.Hour, 3*day + time.Hour
	measured := func(model string) workload.Turn {
		return workload.Turn{
			Model: model, ExoModel: "m/" + model, Outcome: workload.TurnOK, Load: workload.Load{Duration: 9 * time.Second},
			Asked:   &workload.Asked{Of: 10, Right: 10},
			Results: []workload.Result{{Model: model, Prompt: "p", Outcome: workload.OutcomeOK, E2E: time.Second}},
		}
	}
	for name, tt := range map[string]struct {
		before  time.Duration
		model   workload.TurnOutcome // failing's turn
		request workload.Outcome
		cycle   workload.TurnOutcome
	}{
		"all is well":     {good, workload.TurnOK, workload.OutcomeOK, workload.TurnOK},
		"one model fails": {night, workload.TurnFailed, workload.OutcomeHTTPError, workload.TurnPartial},
		"exo is away":     {away, workload.TurnFailed, workload.OutcomeConnectError, workload.TurnFailed},
	} {
		var turns []workload.Turn
		for _, model := range []string{slower, failing} {
			turns = append(turns, month.told(measured(model), 1, epoch, moment{before: tt.before}, rand.New(rand.NewPCG(1, 2))))
		}
		got := turns[1]
		if got.Outcome != tt.model || got.Results[0].Outcome != tt.request || (got.Asked == nil) == (tt.model == workload.TurnOK) {
			t.Errorf("%s: the turn is %s with %+v", name, got.Outcome, got.Results)
		}
		if got := workload.CycleOutcome(turns); got != tt.cycle {
			t.Errorf("%s: the cycle is %s, want %s", name, got, tt.cycle)
		}
	}
}
