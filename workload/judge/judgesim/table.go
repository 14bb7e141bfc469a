package judgesim

import (
	"math/rand/v2"
	"time"

	"exo-bench-exporter/workload/judge"
)

func with(change func(*World)) World {
	w := World{Noise: Reference}
	change(&w)
	return w
}

func noisy(change func(*Noise)) World {
	return with(func(w *World) { change(&w.Noise) })
}

var (
	plain    = World{Noise: Reference}
	offices  = with(func(w *World) { w.Habit = office(0.03) })
	modes    = with(func(w *World) { w.Habit = bimodal(0.04, 3*time.Hour) })
	missing  = with(func(w *World) { w.Gone = func(r *rand.Rand, _ int, _ time.Time) bool { return r.Float64() < 0.4 } })
	sleeping = with(func(w *World) {
		w.Gone = func(_ *rand.Rand, _ int, at time.Time) bool { return at.Hour() >= 23 || at.Hour() < 7 }
	})
	nightly  = with(func(w *World) { w.Habit = backup(0.06) })
	moody    = with(func(w *World) { w.Habit = slowMode(0.04, 2*time.Hour, 0.05) })
	clinging = noisy(func(n *Noise) { n.Rho = 0.8 })
	lingers  = noisy(func(n *Noise) { n.Lasts = 30 * time.Minute })
	scatter  = Noise{SD: 0.0075, Rho: 0.5, PromptSD: 0.03, PromptOutliers: 0.02, OutlierLoss: 0.3}
	engine   = World{Noise: Noise{Recorded: recorded(llamaServer)}}
	exo      = World{Noise: Noise{Recorded: recorded(realExo)}}
	quiet    = World{Noise: Noise{SD: 0.0005, Rho: 0.5}}
	ten      = World{Prompts: 10, Noise: scatter}
	waiting  = World{Prompts: 10, Waits: true, Noise: scatter}
)

const (
	mature = 10 * oneDay
	weeks  = 15 * oneDay
)

// Table lists all scenarios.
func Table() []Scenario {
	return append(found(), steady()...)
}

func found() []Scenario {
	return []Scenario{
		{
			Name: "loss of 5 %: within 8 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: plain, Warm: mature, Found: finds(0.05, 8, losses...),
		},
		{
			Name:  "loss of 5 %: within 12 cycles",
			World: plain, Warm: mature, Found: finds(0.05, 12, losses...),
		},
		{
			Name: "loss of 10 %: within 4 cycles",
			Bar:  "≥ 99 %", Least: 0.99, World: plain, Warm: mature, Found: finds(0.1, 4, losses...),
		},
		{
			Name:  "loss of 10 % on day 4: within 8 cycles",
			World: plain, Warm: 3 * oneDay, Found: finds(0.1, 8, losses...),
		},
		{
			Name: "reference noise, days 2 to 8: no false alarm in an installation",
			Bar:  "≥ 99 %", Least: 0.99, World: plain, Warm: 0, Found: firstWeek,
		},
		{
			Name: "loss of 50 %: collapse within 2 cycles",
			Bar:  "always", Least: 1, World: plain, Warm: mature, Found: finds(0.5, 2, judge.Collapse),
		},
		{
			Name: "bimodal, 4 %, dwell 3 h; loss of 10 %: within 8 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: modes, Warm: weeks, Found: finds(0.1, 8, losses...),
		},
		{
			Name: "office hours 3 % slower; loss of 10 %: within 8 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: offices, Warm: weeks, Found: finds(0.1, 8, losses...),
		},
		{
			Name:  "office hours 3 % slower; loss of 5 %: within 8 cycles",
			World: offices, Warm: weeks, Found: finds(0.05, 8, losses...),
		},
		{
			Name: "40 % of cycles missing; loss of 10 %: within 8 measured cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: missing, Warm: mature, Found: finds(0.1, 8, losses...),
		},
		{
			Name: "asleep from 23 to 7 h; loss of 10 %: one episode, still there on day 7",
			Bar:  "always", Least: 1, World: sleeping, Warm: mature, Found: staysAsleep,
		},
		{
			Name: "2 of 10 prompts lose 20 %: within 8 cycles, named",
			Bar:  "≥ 95 %", Least: 0.95, World: ten, Warm: mature, Found: partial(0.2, 8),
		},
		{
			Name: "2 of 10 prompts lose 50 %: within 8 cycles, named",
			Bar:  "≥ 95 %", Least: 0.95, World: ten, Warm: mature, Found: partial(0.5, 8),
		},
		{
			Name: "2 of 10 prompts lose 90 %: within 8 cycles, named",
			Bar:  "≥ 95 %", Least: 0.95, World: ten, Warm: mature, Found: partial(0.9, 8),
		},
		{
			Name:  "ten prompts that scatter by themselves; loss of 5 %: within 8 cycles",
			World: ten, Warm: mature, Found: finds(0.05, 8, losses...),
		},
		{
			Name: "every third cycle -15 %: intermittent within 24 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: plain, Warm: mature, Found: thirds(0.15),
		},
		{
			Name: "every third cycle -40 %: intermittent within 24 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: plain, Warm: mature, Found: thirds(0.4),
		},
		{
			Name:  "every third cycle -15 % for two days, then a loss of 10 % beside it: within 8 cycles",
			World: plain, Warm: mature, Found: thirdsThenLoss(0.15),
		},
		{
			Name:  "every third cycle -40 % for two days, then a loss of 10 % beside it: within 8 cycles",
			World: plain, Warm: mature, Found: thirdsThenLoss(0.4),
		},
		{
			Name:  "gain of 20 %: told within 8 cycles, no alarm in two days",
			World: plain, Warm: mature, Found: gains,
		},
		{
			Name: "loss of 10 % two days after a gain of 20 %: within 8 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: plain, Warm: mature, Found: lossAfterGain(0.1),
		},
		{
			Name: "loss of 20 % two days after a gain of 20 %: within 8 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: plain, Warm: mature, Found: lossAfterGain(0.2),
		},
		{
			Name: "noise of 0.05 %; loss of 2 %: within 8 cycles",
			Bar:  "always", Least: 1, World: quiet, Warm: mature, Found: finds(0.02, 8, losses...),
		},
		{
			Name: "noise of 0.05 %; loss of 0.3 %: no alarm in a week",
			Bar:  "always", Least: 1, World: quiet, Warm: mature, Found: never(0.003),
		},
		{
			Name: "first token 20 % later, of each model: within 8 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: waiting, Warm: mature, Found: finds(1-1/1.2, 8, losses...),
		},
		{
			Name: "first token 20 % later, of the smallest model: within 8 cycles",
			Bar:  "≥ 95 %", Least: 0.95, World: waiting, Warm: mature, Found: smallest,
		},
		{
			Name: "loss of 1 % a day: found before 6 %",
			Bar:  "always", Least: 1, World: plain, Warm: mature, Found: drifts,
		},
		{
			Name: "all models lose 10 %: the node's alarm within 4 cycles, none of a model before it",
			Bar:  "≥ 99 %", Least: 0.99, World: plain, Warm: mature, Found: together,
		},
		{
			Name:  "all models lose 10 %, one of them 50 %: its collapse is told beside the node's drop",
			World: plain, Warm: mature, Found: togetherCollapse,
		},
		{
			Name:  "loss of 10 % for 8 hours or 12 cycles: over within 8 cycles of the recovery",
			World: plain, Warm: mature, Found: recovers,
		},
		{
			Name:  "loss of 10 %, half of it back: still told a day and a half later",
			World: plain, Warm: mature, Found: halfBack,
		},
		{
			Name:  "slow mode of 4 % after its third time: told as unstable, loss of 10 % within 8 cycles",
			World: moody, Warm: weeks, Found: finds(0.1, 8, losses...),
		},
		{
			Name:  "correlation of 0.8; loss of 10 %: within 8 cycles",
			World: clinging, Warm: mature, Found: finds(0.1, 8, losses...),
		},
		{
			Name:  "recorded of llama-server; loss of 10 %: within 24 cycles",
			World: engine, Warm: mature, Found: finds(0.1, 24, losses...),
		},
		{
			Name:  "recorded of llama-server; loss of 30 %: within 24 cycles",
			World: engine, Warm: mature, Found: finds(0.3, 24, losses...),
		},
		{
			Name:  "recorded of exo; loss of 10 %: within 24 cycles",
			World: exo, Warm: mature, Found: finds(0.1, 24, losses...),
		},
		{
			Name:  "recorded of exo; loss of 30 %: within 24 cycles",
			World: exo, Warm: mature, Found: finds(0.3, 24, losses...),
		},
		{
			Name:  "correlation that lasts half an hour; loss of 10 %: within an hour, 8 cycles at least",
			World: lingers, Warm: mature, Found: findsIn(0.1, time.Hour, losses...),
		},
		{
			Name:  "loss of 10 % that is accepted: over, and a loss of 10 % more found within 8 cycles",
			World: plain, Warm: mature, Found: accepts,
		},
	}
}

func steady() []Scenario {
	line := func(name, bar string, most float64, w World, from, until time.Duration) Scenario {
		return Scenario{Name: name, Bar: bar, Most: most, World: w, Steady: true, From: from, Until: until}
	}
	const two = "≤ 2"
	return []Scenario{
		line("reference noise", "≤ 1", 1, plain, 0, 0),
		line("nightly backup, 6 % slower for an hour: after the third night", two, 2, nightly, 4*oneDay, 0),
		line("slow mode, 4 %, 2 h, 5 % of the time: after the third night", two, 2, moody, 4*oneDay, 0),
		line("outliers of -50 %, 1 % of cycles", two, 2, noisy(func(n *Noise) { n.OutlierLoss = 0.5 }), 0, 0),
		line("outliers of -30 %, 5 % of cycles", two, 2, noisy(func(n *Noise) { n.Outliers = 0.05 }), 0, 0),
		line("stalls of three cycles of -30 % once a week", two, 2, with(func(w *World) { w.Habit = stalls(0.3) }), 0, 0),
		line("stalls of three cycles of -50 % once a week", two, 2, with(func(w *World) { w.Habit = stalls(0.5) }), 0, 0),
		line("heavy tails (Student's t, 3 degrees of freedom)", two, 2, noisy(func(n *Noise) { n.Tail = 3 }), 0, 0),
		line("office hours 3 % slower", two, 2, offices, 0, 0),
		line("bimodal, 4 %, dwell 3 h", two, 2, modes, 0, 0),
		line("40 % of cycles missing", two, 2, missing, 0, 0),
		line("asleep from 23 to 7 h", two, 2, sleeping, 0, 0),
		line("noise of 0.05 %", two, 2, quiet, 0, 0),
		line("correlation of 0.8", two, 2, clinging, 0, 0),
		line("correlation that lasts half an hour", two, 2, lingers, 0, 0),
		line("recorded of llama-server", two, 2, engine, 0, 0),
		line("recorded of exo", two, 2, exo, 0, 0),
		line("noise ten times as high", two, 2, noisy(func(n *Noise) { n.SD *= 10 }), 0, 0),
		line("noise that all models have in common", two, 2, noisy(func(n *Noise) { n.Common = 1 }), 0, 0),
		line("ten prompts that scatter by themselves", two, 2, ten, 0, 0),
		line("first tokens, ten prompts", two, 2, waiting, 0, 0),
	}
}
