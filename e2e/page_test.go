package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"exo-bench-exporter/e2e/internal/stack"
)

var pictures = flag.String("pictures", "", "directory for the pictures of the status page, which are otherwise thrown away")

// pageSight is what a browser has made of a page.
type pageSight struct {
	Wide     int      `json:"wide"`     // pixels that the page is wider than the window
	Texts    int      `json:"texts"`    // texts that were looked at
	Faint    []string `json:"faint"`    // texts with too little contrast to what is behind them, by WCAG AA
	Small    []string `json:"small"`    // texts of less than 11 pixels
	Banner   string   `json:"banner"`   // its text, where all of it is in the first screenful
	Back     string   `json:"back"`     // colour behind everything
	Lines    int      `json:"lines"`    // drawn lines of a day
	Commands []string `json:"commands"` // to be copied
	Marked   string   `json:"marked"`   // what one click on the first of them marks
}

// lookAtPage returns a pageSight.
const lookAtPage = `(() => {
	const channels = c => c.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = channels(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const faint = [], small = [];
	let texts = 0;
	const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const text = walk.currentNode.data.trim(), e = walk.currentNode.parentElement, style = getComputedStyle(e);
		const head = e.closest('thead');
		if (!text || !e.getClientRects().length || e.closest('svg')) continue;
		if (head && getComputedStyle(head).position === 'absolute') continue;
		texts++;
		const [a, b] = [light(channels(style.color)), light(behind(e))].sort((x, y) => y - x);
		const contrast = (a + 0.05) / (b + 0.05);
		if (contrast < 4.5) faint.push(contrast.toFixed(2) + ' ' + text.slice(0, 60));
		if (parseFloat(style.fontSize) < 11) small.push(style.fontSize + ' ' + text.slice(0, 60));
	}
	const banner = document.querySelector('.banner'), box = banner && banner.getBoundingClientRect();
	const commands = [...document.querySelectorAll('pre')];
	return {
		wide: document.scrollingElement.scrollWidth - window.innerWidth, texts, faint, small,
		banner: box && box.top >= 0 && box.bottom <= window.innerHeight && box.right <= window.innerWidth ? banner.textContent : '',
		back: getComputedStyle(document.body).backgroundColor,
		lines: [...document.querySelectorAll('polyline')].filter(l => l.getBoundingClientRect().width > 20).length,
		commands: commands.map(c => c.textContent), marked: commands.length ? getComputedStyle(commands[0]).userSelect : '',
	};
})()`

// TestStatusPage looks at the status page of an exporter with a day of figures, a failure and a model that exo does not know, in a
// real browser: on a phone and on a desk, in light and dark.
func TestStatusPage(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("Debian's package chromium is needed: run e2e/tools/install.sh render (%v)", err)
	}
	url := shownExporter(t)
	allocator, stop := chromedp.NewExecAllocator(
		t.Context(), chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Headless, chromedp.NoFirstRun,
	)
	defer stop()
	dir := *pictures
	if dir == "" {
		dir = t.TempDir()
	}
	backs := map[string]string{}
	for _, width := range []int64{390, 1440} {
		for _, theme := range []string{"light", "dark"} {
			t.Run(fmt.Sprintf("%s at %d", theme, width), func(t *testing.T) {
				tab, leave := chromedp.NewContext(allocator)
				defer leave()
				if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 844)); err != nil {
					t.Fatal(err)
				}
				if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
				}); err != nil {
					t.Fatal(err)
				}
				if err := chromedp.Do(tab, chromedp.Navigate(url)); err != nil {
					t.Fatal(err)
				}
				s, err := chromedp.Run(tab, chromedp.Evaluate[pageSight](lookAtPage))
				if err != nil {
					t.Fatal(err)
				}
				picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("page-%s-%d.png", theme, width)), picture, 0o600); err != nil {
					t.Fatal(err)
				}
				backs[theme] = s.Back
				checkSight(t, s)
			})
		}
	}
	if backs["light"] == backs["dark"] {
		t.Errorf("light and dark are alike: %s", backs["light"])
	}
}

func checkSight(t *testing.T, s pageSight) {
	t.Helper()
	if s.Wide > 0 {
		t.Errorf("the page is %d pixels wider than the window", s.Wide)
	}
	if s.Texts < 40 || len(s.Faint) > 0 || len(s.Small) > 0 {
		t.Errorf("of %d texts are too faint: %q; too small: %q", s.Texts, s.Faint, s.Small)
	}
	if !strings.Contains(s.Banner, "SIMULATED") {
		t.Errorf("in the first screenful there is no banner: %q", s.Banner)
	}
	if s.Lines != 2 {
		t.Errorf("%d lines of a day are drawn, want those of the two models that are measured", s.Lines)
	}
	if len(s.Commands) != 1 || !strings.HasPrefix(s.Commands[0], "curl -X POST ") || s.Marked != "all" {
		t.Errorf("commands to be copied: %q, marked by a click: %s", s.Commands, s.Marked)
	}
}

// shownExporter runs an exporter against a simulator that lacks a model, and returns its address when there is a
// line to draw of each model that is there.
func shownExporter(t *testing.T) string {
	t.Helper()
	dir, address, node := t.TempDir(), stack.FreeAddress(t), stack.FreeAddress(t)
	suite := filepath.Join(dir, "suite.yaml")
	stack.WriteFile(t, suite, `version: page-1
temperature: 0
seed: 1
prompts:
  - {id: one, kind: chat, max_tokens: 64, messages: [{role: user, content: "Say something short, please."}]}
  - {id: two, kind: chat, max_tokens: 64, messages: [{role: user, content: "Now say something else."}]}
`)
	stack.Start(t, nil, stack.Simulator, "-listen", node, "-speed", "2", "-catalogue-only")
	stack.Start(t, []string{
		"EXOBENCH_EXO_URL=http://" + node, "EXOBENCH_LISTEN_ADDRESS=" + address, "EXOBENCH_STATE_DIR=" + dir, "EXOBENCH_SUITE=" + suite,
		"EXOBENCH_MODELS=llama-3.1-8b,llama-3.2-1b,deepseek-r1", "EXOBENCH_CYCLE_INTERVAL=1s", "EXOBENCH_KEEP_LOADED=true",
	}, stack.Exporter)
	stack.Eventually(t, 3*time.Minute, time.Second, "there are figures of some cycles", func() bool {
		body, err := stack.Get("http://" + address + "/")
		return err == nil && strings.Count(string(body), "<polyline") == 2 && strings.Count(string(body), "<pre") == 1
	})
	return "http://" + address + "/"
}
