package app

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exosim"
)

// tight is a way to a node on which connections cannot be made for want of something of ours.
type tight struct {
	*http.Transport
	want atomic.Uintptr // the error of the system; 0 for none
}

func newTight(node *exosim.Node) *tight {
	t := &tight{Transport: httpapi.NewTransport(nil)}
	dial := node.Transport().(*http.Transport).DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if errno := t.want.Load(); errno != 0 {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.Errno(errno))}
		}
		return dial(ctx, network, address)
	}
	t.DisableKeepAlives = true // each call makes a connection
	return t
}

// What the exporter itself lacks is no word about exo: requests end as exporter_error, exo is neither
// up nor down, and a cycle begins as soon as it can.
func TestOwnWant(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		synctest.Test(t, func(t *testing.T) {
			node := smallNode(t)
			way := newTight(node)
			requests := 0
			s := newStack(t, setting{node: node, suite: shortSuite(4, faultTokens), vars: []string{"MODELS", victim + "," + next}, seams: Seams{
				Transport: way.Transport, Listener: newQuietListener(),
				Observers: []workload.Observer{hooks{request: func(workload.Result) {
					if requests++; requests == 2 { // in the middle of the first turn, then of all others
						way.want.Store(uintptr(errno))
					}
				}}},
			}})
			end := s.serve(t)
			time.Sleep(3 * time.Minute)
			got := s.scrape(t)
			count := func(got map[string]float64, outcome workload.Outcome) (n float64) {
				for series, value := range got {
					if strings.HasPrefix(series, "exobench_requests_total{") && strings.Contains(series, `outcome="`+string(outcome)+`"`) {
						n += value
					}
				}
				return n
			}
			if ok, own := count(got, workload.OutcomeOK), count(got, workload.OutcomeExporterError); ok != 2 || own != 6 {
				t.Errorf("%v: %v requests ok and %v failed for want of something", errno, ok, own)
			}
			if up, known := got["exobench_exo_up"]; known {
				t.Errorf("%v: exo is said to be up: %v", errno, up)
			}
			page := s.page(t)
			for _, words := range []string{errno.Error(), "the exporter's own want and not the node's", "not to be asked"} {
				if !strings.Contains(page, words) {
					t.Errorf("%v: the page lacks %q", errno, words)
				}
			}
			for _, blame := range []string{"exo is down", "cannot be reached", "connect_error"} {
				if strings.Contains(s.log.String(), blame) {
					t.Errorf("%v: the log says %q:\n%s", errno, blame, s.log)
				}
			}
			way.want.Store(0)
			time.Sleep(time.Minute) // not the interval
			got = s.scrape(t)
			if up, ok := got["exobench_exo_up"], count(got, workload.OutcomeOK); up != 1 || ok != 10 {
				t.Errorf("%v: when it was over exo's being up was %v, and %v requests were ok; log:\n%s", errno, up, ok, s.log)
			}
			noError(t, end())
			s.Close()
		})
	}
}
