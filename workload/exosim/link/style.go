package link

import (
	"bytes"
	"net"
	"net/textproto"
	"strings"
)

// Style is how a server writes the head of its answers.
type Style struct {
	Server    string // value of the header of that name
	LowerCase bool   // names of headers, but for Transfer-Encoding, which h11 writes itself
	NoReason  bool   // an empty reason phrase
}

// The servers that generations of exo use.
var (
	Hypercorn = Style{Server: "hypercorn-h11", LowerCase: true, NoReason: true}
	Aiohttp   = Style{Server: "Python/3.12 aiohttp/3.10.11"}
)

// Restyle returns l with answers of net/http's server rewritten to the style.
func Restyle(l net.Listener, s Style) net.Listener { return restyled{l, s} }

type restyled struct {
	net.Listener
	style Style
}

// Accept implements net.Listener.
func (l restyled) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &styledConn{c, l.style}, nil
}

// styledConn rewrites heads. Net/http's server writes each in one piece, at the start of a
// write; nothing of a body of exo's begins like one.
type styledConn struct {
	net.Conn
	style Style
}

// Write implements net.Conn.
func (c *styledConn) Write(b []byte) (int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 || !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) || bytes.HasPrefix(b, []byte("HTTP/1.1 1")) {
		return c.Conn.Write(b)
	}
	if _, err := c.Conn.Write(append(c.style.head(string(b[:end])), b[end:]...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (s Style) head(h string) []byte {
	lines := strings.Split(h, "\r\n")
	if status := strings.SplitN(lines[0], " ", 3); s.NoReason && len(status) == 3 {
		lines[0] = status[0] + " " + status[1] + " "
	}
	lines = append(lines, "Server: "+s.Server)
	for i, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		if s.LowerCase && textproto.CanonicalMIMEHeaderKey(name) != "Transfer-Encoding" {
			name = strings.ToLower(name)
		}
		lines[1+i] = name + ":" + value
	}
	return []byte(strings.Join(lines, "\r\n"))
}

// SetLinger makes the next Close a reset when the connection below can do that.
func (c *styledConn) SetLinger(sec int) error {
	if l, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok {
		return l.SetLinger(sec)
	}
	return nil
}

// CloseWrite ends what is written, where the connection below can do that apart.
func (c *styledConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
