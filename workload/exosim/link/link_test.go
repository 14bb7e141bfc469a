package link

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// connect returns the two ends of a connection, the server's as at accepts it.
func connect(t *testing.T, l *Listener, at net.Listener) (client, server net.Conn) {
	t.Helper()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := at.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	client, err := l.Dial(t.Context(), "tcp", "sim:80")
	if err != nil {
		t.Fatal(err)
	}
	return client, <-accepted
}

// bubble runs f with a listener in virtual time.
func bubble(t *testing.T, f func(t *testing.T, l *Listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := Listen()
		defer l.Cut()
		f(t, l)
	})
}

// The server keeps its pace when the client does not read, up to the window; what it has
// written before it closes still comes.
func TestServerRunsAhead(t *testing.T) {
	bubble(t, func(t *testing.T, l *Listener) {
		client, server := connect(t, l, l)
		defer client.Close()
		if _, err := server.Write(make([]byte, window)); err != nil {
			t.Fatal(err)
		}
		more := make(chan error, 1)
		go func() {
			_, err := server.Write(make([]byte, 2*window))
			if err == nil {
				_, err = server.Write([]byte("end"))
			}
			_ = server.Close()
			more <- err
		}()
		synctest.Wait()
		select {
		case err := <-more:
			t.Errorf("the server wrote three windows ahead: %v", err)
		default:
		}
		all, err := io.ReadAll(client)
		if err != nil || len(all) != 3*window+3 || !strings.HasSuffix(string(all), "end") {
			t.Errorf("%d bytes came, %v", len(all), err)
		}
		if err := <-more; err != nil {
			t.Error(err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a write after the end: %v", err)
		}
	})
}

func TestReset(t *testing.T) {
	bubble(t, func(t *testing.T, l *Listener) {
		client, server := connect(t, l, l)
		defer client.Close()
		_, _ = server.Write([]byte("last words"))
		if err := server.(*serverEnd).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = server.Close()
		all, err := io.ReadAll(client)
		if string(all) != "last words" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%q, %v", all, err)
		}
	})
}

// A client that goes is noticed by the server's next write and by its read.
func TestClientGoes(t *testing.T) {
	bubble(t, func(t *testing.T, l *Listener) {
		client, server := connect(t, l, l)
		_ = client.Close()
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("read: %v", err)
		}
		_, _ = server.Write([]byte("x"))
		synctest.Wait()
		if _, err := server.Write([]byte("y")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T, l *Listener) {
		client, server := connect(t, l, l)
		defer client.Close()
		for _, c := range []net.Conn{client, server} {
			start := time.Now()
			if err := c.SetReadDeadline(start.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
				t.Errorf("read ended after %v with %v", time.Since(start), err)
			}
		}
	})
}

func TestNobodyListens(t *testing.T) {
	bubble(t, func(t *testing.T, l *Listener) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Dial(ctx, "tcp", "sim:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody accepts: %v", err)
		}
		_ = l.Close()
		if _, err := l.Dial(t.Context(), "tcp", "sim:80"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("closed: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
	})
}

// Cut ends what is under way, whoever is waiting for what.
func TestCut(t *testing.T) {
	bubble(t, func(t *testing.T, l *Listener) {
		client, server := connect(t, l, l)
		for range 2 { // one on its way, one waiting
			_, _ = server.Write(make([]byte, window))
			synctest.Wait()
		}
		blocked := make(chan error, 1)
		go func() {
			_, err := server.Write([]byte("x"))
			blocked <- err
		}()
		synctest.Wait()
		l.Cut()
		if err := <-blocked; err == nil {
			t.Error("a write went through")
		}
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Error("a read went through")
		}
	})
}

func TestStyles(t *testing.T) {
	const plain = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nX-Odd: a: b\r\n\r\n"
	for style, want := range map[Style]string{
		Hypercorn: "HTTP/1.1 200 \r\ncontent-type: text/plain\r\nTransfer-Encoding: chunked\r\nx-odd: a: b\r\nserver: hypercorn-h11\r\n\r\n",
		Aiohttp:   strings.TrimSuffix(plain, "\r\n") + "Server: Python/3.12 aiohttp/3.10.11\r\n\r\n",
	} {
		bubble(t, func(t *testing.T, l *Listener) {
			client, server := connect(t, l, Restyle(l, style))
			defer client.Close()
			const next = "HTTP/1.1 100 Continue\r\n\r\n"
			for _, text := range []string{plain + "body", "Body: Of\r\n\r\nits own", next} {
				if n, err := io.WriteString(server, text); n != len(text) || err != nil {
					t.Errorf("wrote %d of %d bytes, %v", n, len(text), err)
				}
			}
			_ = server.Close()
			got, err := io.ReadAll(client)
			if err != nil || string(got) != want+"bodyBody: Of\r\n\r\nits own"+next {
				t.Errorf("%v:\n%q, %v", style, got, err)
			}
		})
	}
}
