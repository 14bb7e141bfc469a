package memory

import (
	"path"
	"slices"
	"strings"
)

// Role is what a process does in exo's tree. Roles are label values and therefore a contract.
type Role string

// The roles of exo's processes.
const (
	RoleNode   Role = "node"   // the main process and its small helpers
	RoleRunner Role = "runner" // a process that holds a model, and whatever that one starts
)

// helpers are programs that exo's main process runs to learn about the machine.
var helpers = []string{
	"macmon", "system_profiler", "networksetup", "scutil", "sw_vers", "sysctl", "rdma_ctl",
	"ifconfig", "route", "ping", "nvidia-smi",
}

// forwarders listen on a port on behalf of a process elsewhere.
var forwarders = []string{
	"ssh", "sshd", "docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "conmon",
	"com.docker.backend", "vpnkit", "gvproxy", "limactl", "wslrelay", "kubectl", "cloudflared", "tailscaled",
	"nginx", "haproxy", "caddy", "traefik", "envoy", "socat", "nc", "ncat", "systemd", "launchd",
}

// isExo reports whether argv is the command line of exo's main process, or of exo-sim's.
func isExo(argv []string) bool {
	if len(argv) == 0 {
		return false
	}
	switch name := path.Base(argv[0]); {
	case name == "exo" || name == "exo-sim":
		return true
	case !strings.HasPrefix(strings.ToLower(name), "python"):
		return false
	}
	return isExoScript(argv[1:])
}

// isExoScript reports whether a Python interpreter with these arguments runs exo.
func isExoScript(args []string) bool {
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-m":
			return i+1 < len(args) && (args[i+1] == "exo" || args[i+1] == "exo.main")
		case arg == "-c":
			return false
		case arg == "-X" || arg == "-W":
			i++ // takes a value
		case strings.HasPrefix(arg, "-"):
		default:
			return path.Base(arg) == "exo" || strings.HasSuffix(arg, "exo/main.py")
		}
	}
	return false
}

// roleOf returns the role of a direct child of exo's main process.
func roleOf(argv []string) Role {
	if len(argv) == 0 {
		return RoleRunner
	}
	tracker := slices.ContainsFunc(argv, func(arg string) bool {
		return strings.Contains(arg, "multiprocessing.resource_tracker")
	})
	if tracker || slices.Contains(helpers, path.Base(argv[0])) {
		return RoleNode
	}
	return RoleRunner
}

// isForwarder reports whether argv only passes on what comes to its port.
func isForwarder(argv []string) bool {
	return len(argv) > 0 && slices.Contains(forwarders, strings.TrimSuffix(path.Base(argv[0]), ":"))
}
