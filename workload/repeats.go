package workload

// Repeats says whether a node gave the same answer as before to a prompt that was put in the same way.
type Repeats string

// What there is to say of an answer beside those before it.
const (
	RepeatsLearning Repeats = "learning" // whether the node repeats itself is not known yet
	RepeatsSame     Repeats = "same"     // it does, and did
	RepeatsChanged  Repeats = "changed"  // it used to, and did not
	RepeatsNever    Repeats = "never"    // it does not, so that a difference tells nothing
)

// strongest returns what several answers say together: a change that one of them shows, else that one repeats itself.
func strongest(all []Repeats) Repeats {
	for _, r := range []Repeats{RepeatsChanged, RepeatsSame, RepeatsNever, RepeatsLearning} {
		for _, one := range all {
			if one == r {
				return r
			}
		}
	}
	return ""
}

// Witness remembers answers over turns, by their fingerprints and by how good they were.
type Witness interface {
	// Compare says whether an answer is the one before, and remembers it; "" where that means nothing.
	Compare(r Result) Repeats
	// Judge says how good the answers of a turn that has ended are beside those before, and remembers it. Of one that has none to
	// tell by it says what was found before.
	Judge(t Turn) []Quality
}

// Yardstick is by what answers are judged. It is a label value and therefore a contract.
type Yardstick string

// The yardsticks.
const (
	ByCanary Yardstick = "canary" // questions answered rightly
	BySigns  Yardstick = "signs"  // answers without a sign of nonsense
)

// Yardsticks lists every yardstick.
func Yardsticks() []Yardstick { return []Yardstick{ByCanary, BySigns} }

// Quality is how good a turn's answers are by one yardstick: shares of good ones, from 0 to 1.
type Quality struct {
	By       Yardstick `json:"by"`
	Now      float64   `json:"now"`
	Usual    float64   `json:"usual"` // 0 while Learning
	Learning bool      `json:"learning,omitempty"`
	Worse    bool      `json:"worse,omitempty"` // several turns long, by more than chance does
}

// noWitness remembers nothing.
type noWitness struct{}

func (noWitness) Compare(Result) Repeats { return "" }
func (noWitness) Judge(Turn) []Quality   { return nil }
