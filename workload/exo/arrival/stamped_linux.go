package arrival

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stamped returns a Read for c that also tells when the kernel received the last byte of what it
// returns; nil where c is not TCP or the kernel refuses. The time is zero when the kernel does
// not know it.
func stamped(c net.Conn) func(p []byte) (int, time.Time, error) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err != nil || refused != nil {
		return nil
	}
	keepStamping()
	r := &reader{raw: raw, oob: make([]byte, unix.CmsgSpace(16))}
	return func(p []byte) (int, time.Time, error) { return r.read(p, tcp) }
}

// keepStamping asks the kernel, by a socket that nobody else uses and that stays open as long as
// the process, to stamp what it receives. It stamps only while some socket wants it to, and begins
// some milliseconds after the first has asked: without this socket the first tokens of every answer
// for which no connection was open would have no stamp. Where the socket cannot be had they have none.
var keepStamping = sync.OnceFunc(func() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}
})

// reader reads messages with what the kernel says of them. Like every net.Conn's Read, its read
// may be called by one goroutine at a time.
type reader struct {
	raw syscall.RawConn
	oob []byte
}

func (r *reader) read(p []byte, c net.Conn) (n int, at time.Time, err error) {
	if len(p) == 0 {
		return 0, at, nil
	}
	var oobn int
	var failed error
	err = r.raw.Read(func(fd uintptr) bool {
		for {
			n, oobn, _, _, failed = unix.Recvmsg(int(fd), p, r.oob, 0)
			if failed != unix.EINTR {
				return failed != unix.EAGAIN
			}
		}
	})
	switch {
	case err != nil:
		return 0, at, err // the deadline has passed, or the connection was closed here
	case failed != nil:
		return 0, at, &net.OpError{
			Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("recvmsg", failed),
		}
	case n == 0:
		return 0, at, io.EOF
	}
	return n, receiveTime(r.oob[:oobn]), nil
}

// receiveTime returns the receive time among control messages; zero when there is none.
func receiveTime(oob []byte) time.Time {
	for len(oob) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS {
			return timespec(data)
		}
		oob = rest
	}
	return time.Time{}
}

// timespec decodes the kernel's struct timespec, whose fields are as long as a machine's words.
func timespec(b []byte) time.Time {
	switch len(b) {
	case 16:
		return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:])))
	case 8:
		return time.Unix(int64(binary.NativeEndian.Uint32(b)), int64(binary.NativeEndian.Uint32(b[4:])))
	}
	return time.Time{}
}
