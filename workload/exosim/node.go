package exosim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Node is one simulated exo node. It is safe for concurrent use.
type Node struct {
	opts     Options
	start    time.Time
	id       string
	profiles []*Profile

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	routes  *http.ServeMux // exo's own
	control *http.ServeMux // under /_sim/

	mu          sync.Mutex
	closed      bool
	instances   map[string]*instance
	deleted     []InstanceInfo
	tasks       map[string]*task
	downloaded  map[string]*download // by exo id
	custom      map[string]bool      // exo ids of custom cards
	faults      []*activeFault
	faultSeq    int
	taskSeq     int
	generations uint64
	calls       map[string]int
	truths      truthRing
	pausedTill  time.Time // master re-election: no command before this
	nextPID     int
	leaked      uint64 // bytes that the main process never gave back
	legacy      legacyEngine
}

// New starts a Node. It must be closed.
func New(o Options) *Node {
	o = o.withDefaults()
	n := &Node{
		opts:       o,
		start:      time.Now(),
		instances:  map[string]*instance{},
		tasks:      map[string]*task{},
		downloaded: map[string]*download{},
		custom:     map[string]bool{},
		calls:      map[string]int{},
		nextPID:    41_000,
	}
	n.id = newNodeID(o.Variant)
	n.ctx, n.cancel = context.WithCancel(context.Background())
	for i := range o.Profiles {
		p := &o.Profiles[i]
		n.profiles = append(n.profiles, p)
		if p.ExoID == "" {
			continue
		}
		n.custom[p.ExoID] = !p.Catalogue && !o.CatalogueOnly
		n.downloaded[p.ExoID] = &download{done: p.Catalogue || n.custom[p.ExoID]}
	}
	for _, ref := range o.NotDownloaded {
		for _, p := range n.profiles {
			if d := n.downloaded[p.ExoID]; d != nil && p.is(ref) {
				d.done = false
			}
		}
	}
	n.legacy.init()
	if o.Dialect == Exo0 {
		n.routes = n.legacyRoutes()
	} else {
		n.routes = n.exo1Routes()
	}
	n.control = n.controlRoutes()
	return n
}

// Close ends everything that goes on in the node and waits for it. Streams are cut.
func (n *Node) Close() error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.cancel()
	n.wg.Wait()
	return nil
}

// spawn runs f on a goroutine that Close waits for; false when the node is closed.
func (n *Node) spawn(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.wg.Go(f)
	return true
}

// ID returns the node id, as GET /node_id does.
func (n *Node) ID() string { return n.id }

// newUUID returns a random version 4 UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newNodeID returns an id in the form that the variant draws at each start.
func newNodeID(v Variant) string {
	if v == V1071 { // a libp2p peer id
		const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
		var b [44]byte
		_, _ = rand.Read(b[:])
		for i := range b {
			b[i] = base58[int(b[i])%len(base58)]
		}
		return "12D3KooW" + string(b[:])
	}
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
