package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload/judge"
)

// JudgeSource returns what can be said at this moment of the speed of models and of the node, without a
// name of a model. It answers from memory: it is asked at every scrape.
type JudgeSource func() []judge.Verdict

const (
	unjudged = "before the first figures of the model"
	learning = "while too little is known of what is normal"
	unshared = "where fewer than three models are measured"
)

// registerJudge registers what source says.
func registerJudge(set *metric.Set, source JudgeSource) {
	verdicts := func(node bool) metric.Source[judge.Verdict] {
		return func(emit func(judge.Verdict, ...string)) {
			for _, v := range source() {
				switch {
				case node && v.Model == "":
					emit(v, string(v.Quantity))
				case !node && v.Model != "":
					emit(v, v.Model, string(v.Quantity))
				}
			}
		}
	}
	metric.Snapshot(set, []string{"model", "quantity"}, verdicts(false), modelVerdict()...)
	metric.Snapshot(set, []string{"quantity"}, verdicts(true), nodeVerdict()...)
	metric.Snapshot(set, []string{"model", "quantity", "kind"}, kinds(source, false), modelAlarm()...)
	metric.Snapshot(set, []string{"quantity", "kind"}, kinds(source, true), nodeAlarm()...)
}

// settled is a value that is known once v has learnt what is normal.
func settled(value func(judge.Verdict) float64) func(judge.Verdict) (float64, bool) {
	return func(v judge.Verdict) (float64, bool) { return value(v), !v.Learning }
}

func modelVerdict() []metric.Gauge[judge.Verdict] {
	const of = " quantity: decode, prefill (rates) or ttft (time to first token)."
	return []metric.Gauge[judge.Verdict]{
		{
			Family: metric.Family{
				Name: "speed_change_ratio", Unit: "ratio", Absent: learning,
				Help: "Change of a model's speed against its baseline, as a ratio, estimated over the cycles since it began: negative is " +
					"slower, and 0 means that nothing was found." + of + " Of ttft it is the change of its inverse.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Change.Ratio }),
		},
		{
			Family: metric.Family{
				Name: "speed_change_low_ratio", Unit: "ratio", Absent: learning,
				Help: "Lower bound of exobench_speed_change_ratio, with 95 % confidence as far as the model's noise is known.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Change.Low }),
		},
		{
			Family: metric.Family{
				Name: "speed_change_high_ratio", Unit: "ratio", Absent: learning,
				Help: "Upper bound of exobench_speed_change_ratio, with 95 % confidence as far as the model's noise is known.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Change.High }),
		},
		{
			Family: metric.Family{
				Name: "speed_last_cycle_change_ratio", Unit: "ratio", Absent: learning,
				Help: "Difference of a model's newest cycle from its baseline, as a ratio, negative is slower: noise included, whether or " +
					"not anything was found." + of + " Of ttft it is the change of its inverse.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Latest }),
		},
		{
			Family: metric.Family{
				Name: "speed_change_evidence", Unit: "multiple of the threshold", Absent: learning,
				Help: "Evidence that a model has become slower as a whole: 1 is the threshold of an alarm, which is calibrated from the " +
					"model's own noise.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Evidence }),
		},
		{
			Family: metric.Family{
				Name: "speed_baseline", Unit: "tokens per second; seconds of ttft", Absent: learning,
				Help: "What is normal for a model: geometric mean over its prompts, each corrected by its usual difference from the others.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Baseline }),
		},
		{
			Family: metric.Family{
				Name: "speed_noise_ratio", Unit: "ratio", Absent: learning,
				Help: "Standard deviation of a model's cycles around what is normal, as a ratio, as it was learnt.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Noise }),
		},
		{
			Family: metric.Family{
				Name: "judge_history_cycles", Unit: "cycles", Absent: unjudged,
				Help: "Cycles from which is known what is normal for a model, under the present method.",
			},
			Value: metric.Always(func(v judge.Verdict) float64 { return float64(v.Cycles) }),
		},
		{
			Family: metric.Family{
				Name: "judge_learning", Unit: "1 or 0", Absent: unjudged,
				Help: "1 while a model has too little history to be judged (24 cycles and a day), 0 otherwise.",
			},
			Value: metric.Always(func(v judge.Verdict) float64 { return boolValue(v.Learning) }),
		},
	}
}

func nodeVerdict() []metric.Gauge[judge.Verdict] {
	return []metric.Gauge[judge.Verdict]{
		{
			Family: metric.Family{
				Name: "node_speed_change_ratio", Unit: "ratio", Absent: learning + ", and " + unshared,
				Help: "Change of speed that all models of the node share, as a ratio: negative is slower, 0 means that nothing was found.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Change.Ratio }),
		},
		{
			Family: metric.Family{
				Name: "node_speed_change_evidence", Unit: "multiple of the threshold", Absent: learning + ", and " + unshared,
				Help: "Evidence that the node has become slower for all models: 1 is the threshold of an alarm.",
			},
			Value: settled(func(v judge.Verdict) float64 { return v.Evidence }),
		},
	}
}

// kind is what a verdict says of one kind of change.
type kind struct {
	alarm judge.Alarm // the zero Alarm where there is none
	found bool
}

// kinds tells of every kind, once it is known what is normal.
func kinds(source JudgeSource, node bool) metric.Source[kind] {
	return func(emit func(kind, ...string)) {
		for _, v := range source() {
			if node != (v.Model == "") || v.Learning {
				continue
			}
			for _, k := range judge.Kinds() {
				a, found := v.Find(k)
				labels := []string{v.Model, string(v.Quantity), string(k)}
				if node {
					labels = labels[1:]
				}
				emit(kind{a, found}, labels...)
			}
		}
	}
}

func found(value func(judge.Alarm) float64) func(kind) (float64, bool) {
	return func(k kind) (float64, bool) { return value(k.alarm), k.found }
}

func modelAlarm() []metric.Gauge[kind] {
	const none = "where there is no such alarm"
	return []metric.Gauge[kind]{
		{
			Family: metric.Family{
				Name: "speed_alarm", Unit: "1 or 0", Absent: learning,
				Help: "1 while the speed of a model has changed in this way, 0 otherwise; kind: drop (slower all at once), collapse (two " +
					"fifths or more are gone), drift (slower little by little), partial (some prompts), intermittent (some cycles, again " +
					"and again), unstable (slower as before, when it went away by itself) or gain (faster).",
			},
			Value: metric.Always(func(k kind) float64 { return boolValue(k.found) }),
		},
		{
			Family: metric.Family{
				Name: "speed_alarm_since_timestamp_seconds", Unit: "seconds since 1970", Absent: none,
				Help: "Unix time in seconds of the first cycle that was so, as estimated.",
			},
			Value: found(func(a judge.Alarm) float64 { return unixSeconds(a.Since) }),
		},
		{
			Family: metric.Family{
				Name: "speed_alarm_change_ratio", Unit: "ratio", Absent: none,
				Help: "By how much the speed differs in what the alarm is about, as a ratio, negative is slower: of the model, of the prompts " +
					"that are slow, or of the cycles that are.",
			},
			Value: found(func(a judge.Alarm) float64 { return a.Ratio }),
		},
		{
			Family: metric.Family{
				Name: "speed_alarm_prompts", Unit: "prompts", Absent: "where the alarm is not about some prompts",
				Help: "How many prompts the alarm is about.",
			},
			Value: func(k kind) (float64, bool) { return float64(len(k.alarm.Prompts)), len(k.alarm.Prompts) > 0 },
		},
		{
			Family: metric.Family{
				Name: "speed_alarm_shared", Unit: "1 or 0", Absent: none,
				Help: "1 where the alarm is no more than what all models of the node share, 0 otherwise.",
			},
			Value: found(func(a judge.Alarm) float64 { return boolValue(a.Shared) }),
		},
	}
}

func nodeAlarm() []metric.Gauge[kind] {
	return []metric.Gauge[kind]{
		{
			Family: metric.Family{
				Name: "node_speed_alarm", Unit: "1 or 0", Absent: learning + ", and " + unshared,
				Help: "1 while the speed of all models of the node has changed in this way, 0 otherwise; kind as of exobench_speed_alarm.",
			},
			Value: metric.Always(func(k kind) float64 { return boolValue(k.found) }),
		},
		{
			Family: metric.Family{
				Name: "node_speed_alarm_since_timestamp_seconds", Unit: "seconds since 1970", Absent: "where there is no such alarm",
				Help: "Unix time in seconds of the first cycle that was so, as estimated.",
			},
			Value: found(func(a judge.Alarm) float64 { return unixSeconds(a.Since) }),
		},
	}
}
