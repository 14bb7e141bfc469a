package judge_test

import (
	"fmt"
	"testing"
	"time"

	"exo-bench-exporter/workload/judge"
)

// node tells j of cycles of five models, at the share of their normal speed that speed says.
func node(j *judge.Judge, from, to int, speed func(model, cycle int) float64, look func(cycle int)) {
	for c := from; c < to; c++ {
		for m := range 5 {
			t := noisy(17*m+c, 50*speed(m, c))
			t.Model, t.Cycle = fmt.Sprint("m", m), c
			t.Time = monday.Add(time.Duration(c)*15*time.Minute + time.Duration(m)*2*time.Minute)
			j.Add(t)
			look(c)
		}
	}
}

func own(j *judge.Judge) (alarms []string) {
	for _, v := range j.Verdicts() {
		for _, a := range v.Alarms {
			if v.Model != "" && !a.Shared && !a.Kind.Info() {
				alarms = append(alarms, fmt.Sprint(v.Model, " ", a.Kind))
			}
		}
	}
	return alarms
}

// TestOneAlarmForAllModels has the node lose a tenth, get it back model after model, and lose it again:
// at no time is it a matter of a single model, until one stays slow by itself.
func TestOneAlarmForAllModels(t *testing.T) {
	j := judge.New(judge.Options{})
	told := false
	look := func(cycle int) {
		if alarms := own(j); len(alarms) > 0 {
			t.Fatalf("cycle %d: %v", cycle, alarms)
		}
		v, _ := j.Node(judge.Decode)
		_, now := v.Find(judge.Drop)
		told = told || now
	}
	node(j, 0, learnt, func(int, int) float64 { return 1 }, look)
	node(j, learnt, learnt+40, func(int, int) float64 { return 0.9 }, look)
	if !told {
		t.Error("the node's loss is not told")
	}
	node(j, learnt+40, learnt+80, func(m, c int) float64 {
		if c < learnt+40+2*m {
			return 0.9
		}
		return 1
	}, look)
	node(j, learnt+80, learnt+90, func(int, int) float64 { return 0.9 }, look)
	node(j, learnt+90, learnt+140, func(m, _ int) float64 {
		if m == 3 {
			return 0.9
		}
		return 1
	}, func(int) {})
	if alarms := own(j); fmt.Sprint(alarms) != "[m3 drop]" {
		t.Errorf("%v, want the drop of the model that stayed slow", alarms)
	}
}

// TestALossOfOneModelHidesNoneOfAnother has a model be slow for some hours, and then another.
func TestALossOfOneModelHidesNoneOfAnother(t *testing.T) {
	j := judge.New(judge.Options{})
	slow := func(which, from, to int) func(m, c int) float64 {
		return func(m, c int) float64 {
			if m == which && c >= from && c < to {
				return 0.9
			}
			return 1
		}
	}
	nothing := func(int) {}
	node(j, 0, learnt+60, slow(0, learnt, learnt+12), nothing)
	node(j, learnt+60, learnt+70, slow(1, learnt+60, learnt+70), nothing)
	if v, _ := j.Model("m1", judge.Decode); len(v.Alarms) != 1 || v.Alarms[0].Kind != judge.Drop {
		t.Errorf("%+v, want a drop", v.Alarms)
	}
	node(j, learnt+70, learnt+130, slow(1, 0, 0), nothing)
	node(j, learnt+130, learnt+136, slow(2, learnt+130, learnt+136), nothing)
	if v, _ := j.Model("m2", judge.Decode); len(v.Alarms) != 1 || v.Alarms[0].Kind != judge.Unstable {
		t.Errorf("%+v, want what is known of the node", v.Alarms)
	}
}

// TestStallsAreToldOnce has a model stall for three cycles once a week.
func TestStallsAreToldOnce(t *testing.T) {
	j := judge.New(judge.Options{})
	stalls := 0
	was := false
	const week = 7 * 96
	node(j, 0, learnt+10*week, func(m, c int) float64 {
		if m == 2 && c >= learnt && c%week < 3 {
			return 0.5
		}
		return 1
	}, func(int) {
		now := len(own(j)) > 0
		if now && !was {
			stalls++
		}
		was = now
	})
	if stalls != 1 {
		t.Errorf("told %d times", stalls)
	}
}
