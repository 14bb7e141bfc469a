package workload

// Signs are cheap signs of nonsense in the text of an answer, which itself is not kept. Shares are of the text's
// characters, from 0 to 1, or as said.
type Signs struct {
	Characters int `json:"characters"` // that were looked at
	// Repeated is the share that ends a sequence of characters which the answer had already.
	Repeated float64 `json:"repeated_ratio"`
	// Garbled is the share of control characters and of what is no character (invalid UTF-8).
	Garbled float64 `json:"garbled_ratio"`
	// Foreign is the share of the letters that are of a script of which the prompt has none; 0 where the prompt has no letters.
	Foreign float64 `json:"foreign_script_ratio"`
}

// Sign is something by which an answer is taken for nonsense.
type Sign string

// The signs. They are label values and therefore a contract.
const (
	SignRepetition Sign = "repetition" // most of it has been said before
	SignGarbled    Sign = "garbled"    // control characters, or what is no character
	SignScript     Sign = "script"     // in another script than the prompt
)

// AllSigns lists every sign.
func AllSigns() []Sign { return []Sign{SignRepetition, SignGarbled, SignScript} }

// What makes a sign, and below how many characters nothing is one: "2π" is an answer.
const (
	fewCharacters  = 48
	mostlyRepeated = 0.5
	oftenGarbled   = 0.1
	oftenForeign   = 0.3
)

// Sign returns the sign by which the answer is nonsense, the surest first; false where there is none.
func (s Signs) Sign() (Sign, bool) {
	switch {
	case s.Characters < fewCharacters:
		return "", false
	case s.Garbled >= oftenGarbled:
		return SignGarbled, true
	case s.Foreign >= oftenForeign:
		return SignScript, true
	case s.Repeated >= mostlyRepeated:
		return SignRepetition, true
	}
	return "", false
}

// Sign returns the sign by which the answer is nonsense; false where there is none, and where nothing is known of its text.
func (r Result) Sign() (Sign, bool) {
	if r.Signs == nil || !r.OK() {
		return "", false
	}
	return r.Signs.Sign()
}

// Degenerate returns the share of the turn's successful answers that show a sign of nonsense, and of how many the text was seen;
// with none there is no share. What disturbs times does not matter here.
func (t Turn) Degenerate() (share float64, seen int) {
	bad := 0
	for _, r := range t.OKResults() {
		if r.Signs == nil {
			continue
		}
		seen++
		if _, is := r.Sign(); is {
			bad++
		}
	}
	if seen == 0 {
		return 0, 0
	}
	return float64(bad) / float64(seen), seen
}
