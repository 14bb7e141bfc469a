package memory

import (
	"net/netip"
	"slices"
)

// listener is a socket that listens on a TCP port.
type listener struct {
	addr netip.Addr // unspecified for every address of the machine
	pids []int32    // processes that hold it; none where they are out of sight
	uid  int        // user whose socket it is; noUser where that is not known
}

// noUser is the uid of nobody in particular.
const noUser = -1

// reached returns those of all that connections to one of addrs come to: the ones that are
// bound to such an address, or else those that are bound to none.
func reached(all []listener, addrs []netip.Addr) []listener {
	exact := slices.DeleteFunc(slices.Clone(all), func(l listener) bool { return !slices.Contains(addrs, l.addr) })
	if len(exact) > 0 {
		return exact
	}
	return slices.DeleteFunc(slices.Clone(all), func(l listener) bool { return !l.addr.IsUnspecified() })
}
