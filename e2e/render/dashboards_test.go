package render

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	statesDir = flag.String("states", "", "directory in which the states' storages are kept, and found again")
	outDir    = flag.String("out", "", "directory for the pictures and what was read on them")
	only      = flag.String("only", "", "states to look at, separated by commas; all by default")
	dashboard = flag.String("dashboard", "", "part of the file name of the dashboards to look at; all by default")
	grafana   = flag.String("grafana", "", "version of Grafana's components to look with; the oldest and the newest by default")
	picture   = flag.String("picture", "", "file for README's picture of the overview, which is otherwise not made")
	again     = flag.Bool("again", false, "hold what is in -out already against the rules")
	rulesDir  = flag.String("rules", "../../prometheus/rules", "directory of the rules that are loaded in the states")
	from      = flag.String("dashboards", "../../grafana/dashboards", "directory of the dashboards")
)

// grafanas are the versions whose components the dashboards are shown with: the oldest that README names, and the newest.
var grafanas = []string{"10.4", "13.2"}

// screenWidth is the width of the window that every dashboard is looked at through, in pixels; docked is what is left of it by
// Grafana's menu, which is beside the dashboard unless a reader closes it.
const screenWidth, docked = 1440, 1440 - 300

// widthsOf returns the widths of the windows that a dashboard is looked through, those that are not the screen's with the newest
// components alone: in every state a telephone's, and in one the screen's beside the menu of the dashboards that are for it.
func widthsOf(state, dashboard string) []int {
	widths := []int{screenWidth, phone}
	if state == "healthy" && (strings.Contains(dashboard, "overview") || strings.Contains(dashboard, "model")) {
		widths = append(widths, docked)
	}
	return widths
}

// look is one dashboard in one state.
type look struct {
	Name       string            `json:"name"`
	Prometheus string            `json:"prometheus"`
	To         int64             `json:"to"`
	From       int64             `json:"from,omitempty"`    // the dashboard's own when zero
	Caption    string            `json:"caption,omitempty"` // a line at the top
	Clip       int               `json:"clip,omitempty"`    // height of the picture, all when zero
	Open       bool              `json:"open"`
	Width      int               `json:"width"`
	Chosen     map[string]string `json:"chosen,omitempty"`
	Dashboard  string            `json:"dashboard"`
	Out        string            `json:"out"`

	state string
}

// TestDashboards looks at every dashboard in every state and holds what is to be read there against the rules.
func TestDashboards(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	looks := prepare(t)
	found := map[string][]string{} // by key, where and what
	for _, version := range versions() {
		for _, l := range seen(t, version, cmp.Or(*outDir, t.TempDir()), looks) {
			s, err := readSight(l.Out + ".json")
			if err != nil {
				t.Fatal(err)
			}
			s.state = l.state
			for _, c := range s.Complaints {
				t.Errorf("%s in %s with Grafana %s: %s", s.UID, l.state, version, c)
			}
			for _, f := range faults(s) {
				found[f.key()] = append(found[f.key()], fmt.Sprintf("%s, Grafana %s, %d px: %s", l.state, version, s.Width, f.detail))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		where := found[key]
		t.Errorf("%s\n\t%s", key, strings.Join(where[:min(len(where), 6)], "\n\t"))
	}
}

// versions are those of Grafana's components that are asked for.
func versions() []string {
	if *grafana != "" {
		return []string{*grafana}
	}
	return grafanas
}

// faults holds a dashboard against the rules and the claims.
func faults(s Sight) []fault {
	var all []fault
	for _, c := range claims {
		if s.UID != c.dashboard && c.dashboard != "" || len(c.states) > 0 && !slices.Contains(c.states, s.state) {
			continue
		}
		for _, detail := range c.check(s) {
			all = append(all, fault{c.name, s.UID, detail})
		}
	}
	for _, p := range s.Panels {
		for _, r := range everywhere {
			if len(r.states) > 0 && !slices.Contains(r.states, s.state) {
				continue
			}
			for _, detail := range r.check(s, p) {
				all = append(all, fault{r.name, s.UID + " / " + p.Title, detail})
			}
		}
	}
	return all
}

// prepare makes the states, has a Prometheus serve each, and returns what is to be looked at.
func prepare(t *testing.T) []look {
	t.Helper()
	if *again {
		return before(t)
	}
	files, err := filepath.Glob(filepath.Join(*from, "*"+*dashboard+"*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards in %s: %v", *from, err)
	}
	dirs := stateDirs(t)
	var looks []look
	for _, s := range states {
		dir, wanted := dirs[s.name]
		if !wanted {
			continue
		}
		url := serve(t, dir)
		for _, file := range files {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, width := range widthsOf(s.name, filepath.Base(file)) {
				l := look{
					Name: fmt.Sprintf("%s %s %d", s.name, filepath.Base(file), width), Prometheus: url, To: s.now().Unix(), Width: width, Open: true,
					Dashboard: path, state: s.name, Chosen: s.chosen,
				}
				if s.period > 0 {
					l.From = s.now().Add(-s.period).Unix()
				}
				looks = append(looks, l)
			}
		}
	}
	return looks
}

// before returns what was looked at when -out was last written.
func before(t *testing.T) []look {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(*outDir, versions()[0], "*", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("nothing was looked at in %s: %v", *outDir, err)
	}
	var looks []look
	for _, path := range paths {
		looks = append(looks, look{Dashboard: path, state: filepath.Base(filepath.Dir(path))})
	}
	return looks
}

// stateDirs returns the storages of the states that are asked for, by name. Those that are not there yet are made.
func stateDirs(t *testing.T) map[string]string {
	t.Helper()
	dir := cmp.Or(*statesDir, t.TempDir())
	ruleFiles, err := filepath.Glob(filepath.Join(*rulesDir, "*.yml"))
	if err != nil || len(ruleFiles) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	dirs := map[string]string{}
	var missing []state
	for _, s := range states {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.name) {
			continue
		}
		dirs[s.name] = filepath.Join(dir, s.name)
		if _, err := os.Stat(dirs[s.name]); err != nil {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		return dirs
	}
	t.Run("states", func(t *testing.T) {
		before := past{filepath.Join(dir, "past", "blocks"), filepath.Join(dir, "past", "program")}
		if _, err := os.Stat(before.blocks); err != nil {
			makePast(t, before, ruleFiles)
		}
		for _, s := range missing {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				makeState(t, s, before, dirs[s.name], ruleFiles)
			})
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return dirs
}

// seen has a browser show what is to be looked at, and returns it with where the pictures are.
func seen(t *testing.T, version, out string, looks []look) []look {
	t.Helper()
	web, err := filepath.Abs("web")
	if err != nil {
		t.Fatal(err)
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("Debian's package chromium is needed: %v", err)
	}
	looks = slices.DeleteFunc(slices.Clone(looks), func(l look) bool { return l.Width != screenWidth && version != grafanas[len(grafanas)-1] })
	for i, l := range looks {
		name := strings.TrimSuffix(filepath.Base(l.Dashboard), ".json")
		name += map[int]string{phone: "-phone", docked: "-docked"}[l.Width]
		if looks[i].Out, err = filepath.Abs(filepath.Join(out, version, l.state, name)); err != nil {
			t.Fatal(err)
		}
	}
	if *again {
		return looks
	}
	orders, err := json.Marshal(map[string]any{"grafana": "grafana-" + version, "chromium": chromium, "looks": looks})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "orders.json")
	writeFile(t, path, string(orders))
	for _, args := range [][]string{
		{
			"node_modules/.bin/esbuild", "src/look.ts", "--bundle", "--platform=node", "--packages=external", "--outfile=out/look.js",
			"--log-level=warning",
		},
		{"node", "out/look.js", path},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = web
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s (has e2e/render/install.sh been run?): %v\n%s", args, err, output)
		}
	}
	return looks
}

// TestPicture makes README's picture: the overview on the first day with the simulator, as a reader of README sees it.
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("-picture names no file")
	}
	*only, *dashboard = "firstday", "overview"
	looks := prepare(t)[:1]
	l := &looks[0]
	l.From, l.Open, l.Clip = l.To-3600, false, 1000
	l.Caption = "SIMULATED: Grafana's own components with the figures of exo-bench-exporter -demo"
	shown := seen(t, grafanas[len(grafanas)-1], t.TempDir(), looks)
	if err := exec.CommandContext(t.Context(), "cp", shown[0].Out+".png", *picture).Run(); err != nil {
		t.Fatal(err)
	}
}
