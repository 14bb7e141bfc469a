package grafana

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Follow returns the dashboard that a link leads to, and the panel that it opens by itself. A link that leads to the
// dashboard as a whole has no panel, which is one with the ID 0. The error says what there is not, or which variable the
// dashboard does not have.
func Follow(all []Dashboard, link string) (Dashboard, Panel, error) {
	u, err := url.Parse(link)
	if err != nil {
		return Dashboard{}, Panel{}, err
	}
	_, uid, found := strings.Cut(u.Path, "/d/")
	i := slices.IndexFunc(all, func(d Dashboard) bool { return d.UID == uid })
	if !found || i < 0 {
		return Dashboard{}, Panel{}, fmt.Errorf("%s leads to no dashboard", link)
	}
	d, query := all[i], u.Query()
	for name := range query {
		variable, is := strings.CutPrefix(name, "var-")
		if is && !slices.ContainsFunc(d.Templating.List, func(v Variable) bool { return v.Name == variable }) {
			return d, Panel{}, fmt.Errorf("%s sets %s, which dashboard %s does not have", link, variable, uid)
		}
	}
	if !query.Has("viewPanel") {
		return d, Panel{}, nil
	}
	id, err := strconv.Atoi(query.Get("viewPanel"))
	if err != nil {
		return d, Panel{}, fmt.Errorf("%s: %w", link, err)
	}
	j := slices.IndexFunc(d.Panels, func(p Panel) bool { return p.ID == id && p.Type != "row" })
	if j < 0 {
		return d, Panel{}, fmt.Errorf("%s opens panel %d, which dashboard %s does not have", link, id, uid)
	}
	return d, d.Panels[j], nil
}
