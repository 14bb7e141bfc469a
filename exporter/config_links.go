package exporter

import (
	"regexp"
	"slices"
)

// serviceLinks matches what Kubernetes puts into every container for each Service of its namespace
// (enableServiceLinks), where that Service is called exobench or exobench-something.
var serviceLinks = regexp.MustCompile(`^` + EnvPrefix +
	`([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

func serviceLink(name string) bool { return serviceLinks.MatchString(name) }

// ServiceLinks returns the names of the variables in environ that LoadConfig passes over because
// Kubernetes has set them, and not the user.
func ServiceLinks(environ map[string]string) []string {
	var found []string
	for name := range environ {
		if serviceLink(name) && !isVariable(name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

func isVariable(name string) bool {
	return slices.ContainsFunc(Variables(), func(v Variable) bool { return v.Name == name })
}
