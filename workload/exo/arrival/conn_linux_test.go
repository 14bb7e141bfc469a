package arrival

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns both ends of a loopback connection, the first of them a *Conn.
func pair(t *testing.T) (*Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		accepted <- c
	}()
	c, err := Dial((&net.Dialer{}).DialContext)(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer := <-accepted
	t.Cleanup(func() {
		_ = c.Close()
		_ = peer.Close()
	})
	a := Of(c)
	if a == nil {
		t.Skip("this kernel does not tell when bytes came")
	}
	return a, peer
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// The kernel says of what a connection reads when it came: after it was sent, and before it was read. It begins
// to say so some moments after the first socket of the machine has asked it to.
func TestReadsAreStamped(t *testing.T) {
	t.Parallel()
	c, peer := pair(t)
	buf := make([]byte, 64)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		sent := time.Now()
		say(t, peer, "token")
		n, at, err := c.read(buf)
		if err != nil || string(buf[:n]) != "token" {
			t.Fatalf("read %q (error %v)", buf[:n], err)
		}
		if at.IsZero() {
			continue
		}
		if read := time.Now(); at.Before(sent.Add(-clocks)) || at.After(read.Add(clocks)) {
			t.Errorf("sent at %v and read at %v, but it is said to have come at %v", sent, read, at)
		}
		return
	}
	t.Fatal("the kernel agreed to tell when bytes came, but did not in a minute")
}

// clocks is by how much the kernel's stamps may differ from the clock on the wall that the test reads.
const clocks = 5 * time.Millisecond

// When bytes came is told by the clock that stamps are taken by, however late they were read.
func TestCameIsByTheMonotonicClock(t *testing.T) {
	for name, c := range map[string]struct {
		before, want time.Duration
	}{
		"an hour ago":                               {time.Hour, time.Hour},
		"by a clock that was set back since":        {-time.Hour, 0},
		"by a clock that was set by years in front": {30 * 365 * 24 * time.Hour, maxLate},
	} {
		t.Run(name, func(t *testing.T) {
			conn := &Conn{}
			conn.note(time.Now().Add(-c.before).Round(0))
			if got := time.Since(conn.Came()); got < c.want || got > c.want+time.Minute {
				t.Errorf("what came %v ago is said to have come %v ago", c.want, got)
			}
		})
	}
}

func TestWhatIsNotToldIsNotKnown(t *testing.T) {
	t.Parallel()
	if c, _ := pair(t); !c.Came().IsZero() {
		t.Errorf("before anything was read something came at %v", c.Came())
	}
	c := &Conn{}
	c.note(time.Now())
	c.note(time.Time{})
	if !c.Came().IsZero() {
		t.Errorf("the kernel does not tell, but it is said to have come at %v", c.Came())
	}
}

// The kernel stops stamping some moments after the last socket that wanted it is closed, and a new connection's
// first bytes would go without. So one socket stays, however many connections there were.
func TestStampingOutlivesConnections(t *testing.T) {
	t.Parallel()
	for range 2 {
		pair(t)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, entry := range fds {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil || kind != unix.SOCK_DGRAM {
			continue // no socket, or a connection
		}
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS); err == nil && on != 0 {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("%d sockets keep the kernel stamping, want 1", kept)
	}
}

func TestReadBehavesAsAnyOther(t *testing.T) {
	t.Parallel()
	c, peer := pair(t)
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	if _, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) || c.Ended() {
		t.Errorf("after the deadline: %v, ended %v", err, c.Ended())
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	say(t, peer, "a long text")
	_ = peer.Close()
	if all, err := io.ReadAll(c); err != nil || string(all) != "a long text" {
		t.Errorf("read %q (error %v)", all, err)
	}
	_ = c.Close()
	var op *net.OpError
	if _, err := c.Read(buf); !errors.Is(err, net.ErrClosed) || !errors.As(err, &op) {
		t.Errorf("after closing: %v", err)
	}
}

func TestResetIsAnErrorOfTheNetwork(t *testing.T) {
	t.Parallel()
	c, peer := pair(t)
	if err := peer.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = peer.Close()
	var op *net.OpError
	if _, err := c.Read(make([]byte, 4)); !errors.As(err, &op) || op.Op != "read" {
		t.Errorf("after a reset: %v", err)
	}
}

func TestUnderHTTPAndTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	tr := &http.Transport{
		DialContext:     Dial((&net.Dialer{}).DialContext),
		TLSClientConfig: &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
	}
	defer tr.CloseIdleConnections()
	var conn *Conn
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { conn = Of(i.Conn) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || string(text) != "ok" {
		t.Fatalf("read %q (error %v)", text, err)
	}
	if conn == nil {
		t.Fatal("the connection below TLS is not found")
	}
	if late := time.Since(conn.Came()); !conn.Came().IsZero() && (late < 0 || late > time.Minute) {
		t.Errorf("what was read is said to have come %v ago", late)
	}
}

func TestReceiveTime(t *testing.T) {
	if got := receiveTime(nil); !got.IsZero() {
		t.Errorf("of nothing: %v", got)
	}
	if got := receiveTime([]byte{1, 2, 3}); !got.IsZero() {
		t.Errorf("of rubbish: %v", got)
	}
	words := binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, 5), 7)
	if got, want := timespec(words), time.Unix(5, 7); !got.Equal(want) {
		t.Errorf("of a machine of 32 bits: %v, want %v", got, want)
	}
	if got := timespec([]byte{1}); !got.IsZero() {
		t.Errorf("of another length: %v", got)
	}
}

func TestWithoutAKernelThatTellsNothingIsKnown(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	dial := Dial(func(context.Context, string, string) (net.Conn, error) { return client, nil })
	c, err := dial(t.Context(), "tcp", "any")
	if err != nil || Of(c) == nil {
		t.Fatalf("a pipe is dialed as %T (error %v)", c, err)
	}
	go func() {
		_, _ = server.Write([]byte("text"))
		_ = server.Close()
	}()
	if all, err := io.ReadAll(c); err != nil || string(all) != "text" || !Of(c).Came().IsZero() || !Of(c).Ended() {
		t.Errorf("read %q (error %v), which came at %v; ended %v", all, err, Of(c).Came(), Of(c).Ended())
	}
	if of := Of(client); of != nil || Of(nil) != nil || !of.Came().IsZero() || of.Ended() {
		t.Errorf("of another connection: %v", of)
	}
	refused := errors.New("refused")
	dial = Dial(func(context.Context, string, string) (net.Conn, error) { return nil, refused })
	if c, err := dial(t.Context(), "tcp", "any"); c != nil || !errors.Is(err, refused) {
		t.Errorf("a refused connection is %v (error %v)", c, err)
	}
}
