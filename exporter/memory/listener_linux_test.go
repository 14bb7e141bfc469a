package memory

import (
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What a machine of the address 203.0.113.2 shows of its network; exo's port is 52415 (CCBF).
const (
	fibTrie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 203.0.113.0/24 2 0 2
        +-- 203.0.113.0/30 2 0 2
           |-- 203.0.113.0
              /24 link UNICAST
           |-- 203.0.113.2
              /32 host LOCAL
        |-- 203.0.113.255
           /32 link BROADCAST
`
	ifInet6 = `fe8000000000000000fc00fffe000001 04 40 20 80     eth0
20010db8000000000000000000000002 04 40 00 82     eth0
`
	header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	netTCP = header +
		"   0: 00000000:CCBF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 44182 1 0000000000000000 100 0 0 10 0\n" +
		"   1: 0100007F:4A37 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 44185 1 0000000000000000 100 0 0 10 0\n" +
		"   2: 027100CB:CCBF 0300A8C0:D431 01 00000000:00000000 00:00000000 00000000  1000        0 44183 1 0000000000000000 20 4 30 10 -1\n"
	netTCP6 = header +
		"   0: 00000000000000000000000001000000:CCBF 00000000000000000000000000000000:0000 0A " +
		"00000000:00000000 00:00000000 00000000    70        0 44190 1 0000000000000000 100 0 0 10 0\n"
)

// hostAPI is exo's API as a container of that machine reaches it.
var hostAPI = &url.URL{Scheme: "http", Host: "203.0.113.2:52415"}

func TestListenersOfTheMachineOfThisContainer(t *testing.T) {
	fakeProc(t)
	found, err := listeners(t.Context(), onHost, 52415)
	want := []listener{
		{addr: netip.IPv4Unspecified(), pids: []int32{7001}, uid: 1000},
		{addr: netip.IPv6Loopback(), uid: 70},
	}
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("listeners are %+v (error %v), want %+v", found, err, want)
	}
	if found, err := listeners(t.Context(), onHost, 1); err != nil || len(found) != 0 {
		t.Errorf("listeners of another port are %+v (error %v)", found, err)
	}
	all := addresses("127.0.0.1", "203.0.113.2", "fe80::fc:ff:fe00:1", "2001:db8::2")
	if got := hostAddresses(); !reflect.DeepEqual(got, all) {
		t.Errorf("the machine's addresses are %v, want %v", got, all)
	}
}

func TestMachineThatCannotBeSeen(t *testing.T) {
	t.Setenv("HOST_PROC", t.TempDir())
	if got := hostAddresses(); len(got) != 0 {
		t.Errorf("its addresses are %v", got)
	}
	if found, err := listeners(t.Context(), onHost, 52415); err == nil {
		t.Errorf("its listeners are %+v", found)
	}
}

func TestIPv6IsOff(t *testing.T) {
	dir := fakeProc(t)
	for _, name := range []string{"tcp6", "if_inet6"} {
		if err := os.Remove(filepath.Join(dir, "1/net", name)); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := listeners(t.Context(), onHost, 52415); err != nil || len(found) != 1 {
		t.Errorf("listeners are %+v (error %v)", found, err)
	}
	if got := hostAddresses(); len(got) != 2 {
		t.Errorf("the machine's addresses are %v", got)
	}
}

// TestListenerOfAnotherNamespace needs the right to make one.
func TestListenerOfAnotherNamespace(t *testing.T) {
	t.Parallel()
	h, err := startHelperAs([]string{"apart"}, func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	})
	if err != nil {
		t.Skip("no network namespace can be made here:", err)
	}
	h.endWith(t)
	port, err := strconv.ParseUint(h.ask("listen 0.0.0.0"), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	found, err := listenersIn(pidPath(int32(h.pid()), ""), "/proc", uint16(port))
	want := []listener{{addr: netip.IPv4Unspecified(), pids: []int32{int32(h.pid())}, uid: os.Getuid()}}
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("listeners are %+v (error %v), want %+v", found, err, want)
	}
	if found, _ := listeners(t.Context(), here, uint16(port)); len(found) != 0 {
		t.Errorf("in this namespace there are %+v", found)
	}
}

// TestWhatListensIsWatched has two processes that look like exo, of which the younger serves
// the measured URL.
func TestWhatListensIsWatched(t *testing.T) {
	t.Parallel()
	newHelper(t, strings.Fields(exoArgv)...)
	exo := newHelper(t, strings.Fields(exoArgv)...)
	runner := exo.spawn(t, runnerArgv)
	port := exo.ask("listen 127.0.0.1")
	s := New(Config{APIURL: &url.URL{Scheme: "http", Host: "localhost:" + port}, Logger: quiet()})
	if v := s.Look(); !v.Visible || v.PID != int32(exo.pid()) || v.Processes != 2 {
		t.Errorf("visibility: %v; want pid %d with its runner %d", v, exo.pid(), runner)
	}
	exo.kill()
	if v := s.Look(); v.Visible || !strings.Contains(v.Reason, "nothing that can be seen listens on port "+port) {
		t.Errorf("with nothing on the port: %v", v)
	}
}
