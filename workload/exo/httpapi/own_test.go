package httpapi

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Only what this side lacks is its own want, through whatever it is told.
func TestOwn(t *testing.T) {
	socket := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", errno)}
	}
	c, err := New(Options{BaseURL: "http://exo.test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("too many open files"), false}, // somebody's words
		{socket(syscall.EMFILE), true},
		{fmt.Errorf("GET /models: %w", socket(syscall.ENFILE)), true},
		{&net.DNSError{Err: "dial udp: " + socket(syscall.EMFILE).Error(), Name: "exo.test"}, true},
		{&net.DNSError{Err: "no such host", Name: "exo.test", IsNotFound: true}, false},
		{socket(syscall.ECONNREFUSED), false},
		{socket(syscall.ENETUNREACH), false},
	} {
		if got := Own(tt.err); got != tt.want {
			t.Errorf("%v: %t", tt.err, got)
		}
		if tt.err != nil && strings.Contains(c.Explain(tt.err).Error(), ownHelp) != tt.want {
			t.Errorf("explained as %v", c.Explain(tt.err))
		}
	}
}
