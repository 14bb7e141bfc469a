package httpapi

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
)

// wants are what a system says to a process that it gives no descriptor or no memory for a connection.
var wants = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}

// Own reports whether err, of a call, is the want of something on this side: it tells nothing about
// the node, which was not asked.
func Own(err error) bool {
	var lookup *net.DNSError // keeps the words of its cause alone
	said := errors.As(err, &lookup)
	return slices.ContainsFunc(wants, func(want syscall.Errno) bool {
		return errors.Is(err, want) || said && strings.HasSuffix(lookup.Err, want.Error())
	})
}

// ownHelp is what to do about it.
const ownHelp = "that is the exporter's own want and not the node's: give it more descriptors (ulimit -n, LimitNOFILE=, --ulimit nofile=)"
