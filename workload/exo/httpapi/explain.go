package httpapi

import (
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
)

// explainBound bounds the look at what a server speaks that did not answer.
const explainBound = 2 * time.Second

// Explain adds to an error of a connection what a person can do about it, where that can be told:
// http and https taken for each other, a certificate of an authority that is not known, and what the
// exporter itself lacks.
func (c *Client) Explain(err error) error {
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
	case c.base.Scheme == "http" && hungUp(err) && c.speaksTLS():
		return fmt.Errorf("%w; the server speaks TLS: write https:// in EXOBENCH_EXO_URL", err)
	}
	return err
}

// hungUp reports whether err is what a server that speaks TLS does to a plain request.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		strings.Contains(err.Error(), "malformed HTTP")
}

// speaksTLS tries a handshake with the server; it sends nothing but that. It is not tried where
// connections are not net/http's own.
func (c *Client) speaksTLS() bool {
	t, ok := c.http.Transport.(*http.Transport)
	if !ok || t.DialContext == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), explainBound)
	defer cancel()
	address := c.base.Host
	if c.base.Port() == "" {
		address = net.JoinHostPort(c.base.Hostname(), "80")
	}
	conn, err := t.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close()
	// Who answers does not matter: nothing is sent or believed, the question is whether it is TLS.
	client := tls.Client(conn, &tls.Config{ServerName: c.base.Hostname(), InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	return client.HandshakeContext(ctx) == nil
}
