package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"exo-bench-exporter/workload/exo/foreign"
)

// explainBound bounds the look at what a server speaks that did not answer.
const explainBound = 2 * time.Second

// Explain adds to an error of a connection what a person can do about it, where that can be told:
// http and https taken for each other, a certificate of an authority that is not known, and what the
// exporter itself lacks. It says nothing that came over the connection.
func (c *Client) Explain(err error) error {
	err = foreign.Unquoted(err)
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case err == nil:
		return nil
	case Own(err):
		return fmt.Errorf("%w; %s", err, ownHelp)
	case errors.As(err, &authority):
		return fmt.Errorf("%w; where the authority is one of your own, name the file of its certificate in EXOBENCH_EXO_CA_FILE", err)
	case c.base.Scheme == "https" && (errors.As(err, &record) || strings.Contains(err.Error(), "HTTP response to HTTPS client")):
		return fmt.Errorf("%w; the server does not speak TLS: write http:// in EXOBENCH_EXO_URL", err)
	case c.base.Scheme == "http" && hungUp(err) && c.speaks(tlsTongue):
		return fmt.Errorf("%w; the server speaks TLS: write https:// in EXOBENCH_EXO_URL", err)
	case c.base.Scheme == "https" && (hungUp(err) || silent(err)) && c.speaks(plainTongue):
		return fmt.Errorf("%w; the server does not speak TLS: write http:// in EXOBENCH_EXO_URL", err)
	}
	return err
}

// hungUp reports whether err is what a server does to whom it does not understand.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		strings.Contains(err.Error(), "malformed HTTP")
}

// silent reports whether err is what comes of a server that goes on waiting for words that it understands.
func silent(err error) bool {
	var late net.Error
	return errors.As(err, &late) && late.Timeout()
}

// speaks asks the server over a connection of its own whether it knows a tongue. That is not tried where
// connections are not net/http's own.
func (c *Client) speaks(tongue func(ctx context.Context, conn net.Conn, host string) bool) bool {
	t, ok := c.http.Transport.(*http.Transport)
	if !ok || t.DialContext == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), explainBound)
	defer cancel()
	address := c.base.Host
	if c.base.Port() == "" {
		address = net.JoinHostPort(c.base.Hostname(), c.base.Scheme)
	}
	conn, err := t.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close()
	return tongue(ctx, conn, c.base.Hostname())
}

// tlsTongue tries a handshake; nothing is sent but that. Who answers does not matter: nothing is believed, the question
// is whether it is TLS.
func tlsTongue(ctx context.Context, conn net.Conn, host string) bool {
	client := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	return client.HandshakeContext(ctx) == nil
}

// plainTongue asks without TLS for nothing that is anybody's. Some servers that speak TLS say by status 400, in plain
// words, that they do.
func plainTongue(ctx context.Context, conn net.Conn, host string) bool {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	begin := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.WriteString(conn, "HEAD / HTTP/1.0\r\nHost: "+host+"\r\n\r\n"); err != nil {
		return false
	}
	_, err := io.ReadFull(conn, begin)
	return err == nil && bytes.HasPrefix(begin, []byte("HTTP/")) && !bytes.HasSuffix(begin, []byte(" 400"))
}
