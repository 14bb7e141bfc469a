package faults

import (
	"fmt"
	"strings"
)

// Help describes all kinds of faults and the fields of one, as text for a terminal.
func Help() string {
	var b strings.Builder
	b.WriteString("A fault is a JSON object of kind and, where they mean something, model, count, skip,\n" +
		"after, path, percent, seconds, status, tokens, message, state and bytes. It strikes count times\n" +
		"(until it is cleared when 0), having let skip occasions pass, after so many token events;\n" +
		"one that lasts expires after seconds. With path, where marked /, it strikes any request\n" +
		"whose path begins so, or whose method and path do, as in \"POST /instance\".\n")
	for _, scope := range []Scope{Lasting, OfRequest, OfInstance} {
		fmt.Fprintf(&b, "\nFaults that strike %s:\n", scope)
		for _, s := range table {
			if s.Scope != scope {
				continue
			}
			mark := " "
			if s.Path {
				mark = "/"
			}
			fmt.Fprintf(&b, "  %-20s%s %s\n", s.Kind, mark, s.Help)
		}
	}
	return b.String()
}
