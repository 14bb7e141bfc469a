package memory

import (
	"net"
	"testing"
)

// listenHere listens on a free loopback port until the test ends.
func listenHere(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func TestNobodyListens(t *testing.T) {
	found, err := newHostSource(quiet()).listeners(t.Context(), here, 1)
	if err != nil || len(found) != 0 {
		t.Errorf("listeners of port 1 are %v (error %v)", found, err)
	}
}
