package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Epoch is the method by which a figure was taken. It travels with every Result, and figures of
// different epochs are never compared: another prompt, another route or another version of the
// engine moves a figure without anything having become faster or slower.
type Epoch struct {
	SHA256   string   `json:"sha256"`   // of the suite, in canonical form
	Dialect  Dialect  `json:"dialect"`  // API that was spoken
	Endpoint Endpoint `json:"endpoint"` // route that served the request
	// Nonce is true when each prompt was opened by digits that no prefix cache has seen.
	Nonce bool `json:"nonce"`
	// Form names what the server was found to want of a request's body beside or instead of the
	// dialect's own form; empty for the dialect's own. It changes what the model is asked to do.
	Form    string `json:"form,omitempty"`
	Engine  string `json:"engine,omitempty"`  // for example "exo" or "llama.cpp"; empty where nothing tells
	Version string `json:"version,omitempty"` // of the engine; empty where nothing tells
}

// epochIDLength is the number of hexadecimal digits that tell epochs apart.
const epochIDLength = 12

// ID returns a short name of the epoch that is the same whenever the method is the same; empty
// for the zero Epoch.
func (e Epoch) ID() string {
	if e == (Epoch{}) {
		return ""
	}
	b, _ := json.Marshal(e) // strings and a bool: it cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:epochIDLength]
}

// Changed names, for people, the parts in which e differs from before; empty when it does not.
func (e Epoch) Changed(before Epoch) []string {
	var parts []string
	for _, p := range []struct {
		name    string
		differs bool
	}{
		{"workload", e.SHA256 != before.SHA256},
		{"dialect", e.Dialect != before.Dialect},
		{"endpoint", e.Endpoint != before.Endpoint},
		{"nonce", e.Nonce != before.Nonce},
		{"form of request", e.Form != before.Form},
		{"engine", e.Engine != before.Engine},
		{"version", e.Version != before.Version},
	} {
		if p.differs {
			parts = append(parts, p.name)
		}
	}
	return parts
}
