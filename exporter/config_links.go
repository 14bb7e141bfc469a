package exporter

import (
	"regexp"
	"slices"
)

// Kubernetes puts variables into every container for each Service of its namespace
// (enableServiceLinks). Where that Service is called exobench or exobench-something, they look
// like ours; a port alone is told from a mistake by its value.
var (
	linkNames = regexp.MustCompile(`^` + EnvPrefix + `([A-Z0-9_]+_)?` +
		`(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR))$`)
	linkPorts = regexp.MustCompile(`^` + EnvPrefix + `([A-Z0-9_]+_)?PORT(_[0-9]+_(TCP|UDP|SCTP))?$`)
	linkValue = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

func serviceLink(name, value string) bool {
	return linkNames.MatchString(name) || linkPorts.MatchString(name) && linkValue.MatchString(value)
}

// ServiceLinks returns the names of the variables in environ that LoadConfig passes over because
// Kubernetes has set them, and not the user.
func ServiceLinks(environ map[string]string) []string {
	var found []string
	for name, value := range environ {
		if serviceLink(name, value) && !isVariable(name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

func isVariable(name string) bool {
	return slices.ContainsFunc(Variables(), func(v Variable) bool { return v.Name == name })
}
