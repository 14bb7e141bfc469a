package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exo-bench-exporter/workload"
)

// scraper scrapes over one connection that it keeps.
type scraper struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func newScraper(t *testing.T, address string) *scraper {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	noError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &scraper{t, conn, bufio.NewReader(conn)}
}

func (s *scraper) ask() {
	_, err := io.WriteString(s.conn, "GET /metrics HTTP/1.1\r\nHost: exporter\r\n\r\n")
	noError(s.t, err)
}

func (s *scraper) answer() string {
	s.t.Helper()
	resp, err := http.ReadResponse(s.r, nil)
	noError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("a scrape was answered with %d, %v", resp.StatusCode, err)
	}
	return string(body)
}

// until scrapes until the samples are as they should be, and returns them.
func (s *scraper) until(p *program, what string, are func(samples) bool) samples {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		s.ask()
		if got := read(s.answer()); are(got) {
			return got
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("there is no sign of %s; log:\n%s", what, p.log.String())
		}
		<-time.After(20 * time.Millisecond)
	}
}

// samples are the values of series as they stand on /metrics.
type samples map[string]string

func read(page string) samples {
	all := samples{}
	for line := range strings.Lines(page) {
		if series, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			all[series+"}"] = value
		} else if series, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all[series] = value
		}
	}
	return all
}

// requests returns how many requests of the first prompt ended so.
func (s samples) requests(o workload.Outcome) string {
	return s[`exobench_requests_total{model="`+next+`",outcome="`+string(o)+`",prompt="one"}`]
}

// limit sets how many descriptors the program may have, and returns how many it could have.
func (p *program) limit(t *testing.T, n uint64) (was uint64) {
	t.Helper()
	var before unix.Rlimit
	noError(t, unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &before))
	noError(t, unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: before.Max}, nil))
	return before.Cur
}

// A program that has no descriptors left says so, of itself and not of exo. It goes on answering over
// connections that it has, and answers new ones and measures when it has descriptors again.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	e := startExo(t, fast)
	suite := strings.ReplaceAll(tinySuite, "max_tokens: 8", "max_tokens: 512") // long enough where the machine is busy
	noError(t, os.WriteFile(e.suite, []byte(suite), 0o600))
	p := e.command(t, next) // which is loaded
	p.cmd.Env = append(p.cmd.Env, "EXOBENCH_CYCLE_INTERVAL=1s", "EXOBENCH_RESULTS=off")
	p.run(t)
	address := regexp.MustCompile(`listen=(\S+)`).FindStringSubmatch(p.log.String())[1]
	kept := newScraper(t, address)
	kept.until(p, "a good request", func(s samples) bool { return s.requests(workload.OutcomeOK) != "0" })

	was := p.limit(t, 3)
	e.cut()
	late := newScraper(t, address)
	late.ask()
	kept.until(p, "the want", func(s samples) bool {
		up, known := s["exobench_exo_up"]
		if up == "0" {
			t.Fatalf("exo is called down; log:\n%s", p.log.String())
		}
		return !known && s.requests(workload.OutcomeExporterError) != "0"
	})

	p.limit(t, was)
	if !strings.Contains(late.answer(), "exobench_build_info") {
		t.Error("whoever came meanwhile is not answered afterwards")
	}
	good := func(since samples) samples {
		return kept.until(p, "a good request", func(s samples) bool {
			return s.requests(workload.OutcomeOK) != since.requests(workload.OutcomeOK)
		})
	}
	first := good(kept.until(p, "exo", func(s samples) bool { return s["exobench_exo_up"] == "1" }))
	now := good(first)
	if a, b := first.requests(workload.OutcomeExporterError), now.requests(workload.OutcomeExporterError); a != b {
		t.Errorf("requests fail for want of descriptors also afterwards: %s, then %s; log:\n%s", a, b, p.log.String())
	}
	for _, o := range []workload.Outcome{workload.OutcomeConnectError, workload.OutcomeHTTPError, workload.OutcomeProtocolError} {
		if n := now.requests(o); n != "0" {
			t.Errorf("exo is blamed by %s requests that ended as %s; log:\n%s", n, o, p.log.String())
		}
	}
	for _, words := range []string{"too many open files", "the exporter's own want and not the node's", "The exporter itself cannot ask exo"} {
		if !strings.Contains(p.log.String(), words) {
			t.Errorf("the log lacks %q:\n%s", words, p.log.String())
		}
	}
	if got := p.end(t, unix.SIGTERM, 10*time.Second); got != exitOK {
		t.Errorf("exit status %d; log:\n%s", got, p.log.String())
	}
	e.wantGuestsOnly(t)
}
