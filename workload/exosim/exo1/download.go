package exo1

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// download is how far a model's weights have come onto the disk.
type download struct {
	done    bool
	ongoing bool
	bytes   uint64
	rate    float64 // bytes per second, as it really happens
	byHand  bool    // somebody started it, without an instance
	failed  string  // sticky: exo tries again only after a restart or a delete
}

// downloadSteps is in how many steps a download is reported.
const downloadSteps = 50

// download returns how far the model's weights have come.
func (c *catalogue) download(p *pace.Profile) download {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.weights[p.ExoID]
}

func (c *catalogue) setDownload(p *pace.Profile, d download) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.weights[p.ExoID] = d
}

// begin starts a download by hand; false when the weights are there or on their way.
func (c *catalogue) begin(p *pace.Profile, rate float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.weights[p.ExoID]
	if d.done || d.ongoing {
		return false
	}
	*d = download{ongoing: true, byHand: true, rate: rate}
	return true
}

// advance notes how far a download by hand has come; false when it was canceled.
func (c *catalogue) advance(p *pace.Profile, bytes uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.weights[p.ExoID]
	if d.byHand {
		d.bytes = bytes
	}
	return d.byHand
}

// cancel ends the downloads by hand that no instance needs, and returns their ids.
func (c *catalogue) cancel(needed func(exoID string) bool) (canceled []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, d := range c.weights {
		if d.byHand && d.ongoing && !needed(id) {
			*d = download{bytes: d.bytes}
			canceled = append(canceled, id)
		}
	}
	return canceled
}

// download brings the weights onto the disk if they are not there. A runner whose weights
// cannot come stays idle.
func (n *Node) download(i *instance) error {
	p := i.profile
	if f, ok := n.Faults.StrikeInstance(faults.DownloadFails, p.ExoID); ok {
		n.catalogue.setDownload(p, download{failed: cmp.Or(f.Message, "Failed to download: Connection reset by peer")})
		if f.Seconds > 0 {
			if err := n.pause(i, pace.Seconds(f.Seconds)); err != nil {
				return err
			}
			n.catalogue.setDownload(p, download{})
		}
	}
	d := n.catalogue.download(p)
	switch {
	case d.failed != "":
		return n.awaitEnd(i)
	case d.done:
		return nil
	case n.opts.Offline:
		n.catalogue.setDownload(p, download{failed: "Model " + p.ExoID + " is not downloaded and exo runs offline"})
		return n.awaitEnd(i)
	}
	n.addTask(i, "DownloadModel", nil)
	for step := range downloadSteps {
		so := p.WeightsBytes / downloadSteps * uint64(step)
		n.catalogue.setDownload(p, download{ongoing: true, bytes: so, rate: n.downloadRate()})
		if err := n.fetchStep(p, func(d time.Duration) error { return n.pause(i, d) }); err != nil {
			n.catalogue.setDownload(p, download{bytes: so})
			return err
		}
	}
	n.catalogue.setDownload(p, download{done: true})
	return nil
}

func (n *Node) downloadRate() float64 { return n.opts.DownloadRate * n.Speed }

func (n *Node) downloadStep(p *pace.Profile) time.Duration {
	return pace.Seconds(float64(p.WeightsBytes) / n.opts.DownloadRate / downloadSteps)
}

// fetchStep waits by wait until one more step of a download has come.
func (n *Node) fetchStep(p *pace.Profile, wait func(time.Duration) error) error {
	for {
		if err := wait(n.downloadStep(p)); err != nil {
			return err
		}
		if _, stalls := n.Faults.Active(faults.DownloadStalls, p.ExoID); !stalls {
			return nil
		}
	}
}

// StartDownload downloads the weights of a model as another user of the node would, who
// needs no instance for that.
func (n *Node) StartDownload(model string) error {
	p := n.Profile(model)
	if p == nil || n.catalogue.known(p.ExoID) == nil {
		return fmt.Errorf("the node has no model %q to download", model)
	}
	if !n.catalogue.begin(p, n.downloadRate()) {
		return fmt.Errorf("%s is on the disk or on its way there", p.ExoID)
	}
	n.Spawn(func() {
		for step := range downloadSteps {
			if n.fetchStep(p, n.Sleep) != nil || !n.catalogue.advance(p, p.WeightsBytes/downloadSteps*uint64(step)) {
				return
			}
		}
		n.catalogue.setDownload(p, download{done: true})
	})
	return nil
}

// cancelDownloads is what exo does whenever an instance is deleted: it cancels the downloads
// that no instance needs. Those of the instance itself end with it.
func (n *Node) cancelDownloads() {
	needed := n.cluster.models()
	for _, id := range n.catalogue.cancel(func(exoID string) bool { return needed[exoID] }) {
		n.Log.Info("Download canceled", "model", id)
	}
}

// wireDownload returns a model's download under its tag.
func (n *Node) wireDownload(p *pace.Profile) map[string]any {
	d := n.catalogue.download(p)
	body := map[string]any{"nodeId": n.id, "shardMetadata": n.wireShard(p), "modelDirectory": ""}
	total := wire.Memory{InBytes: p.WeightsBytes}
	switch {
	case d.failed != "":
		body["errorMessage"] = d.failed
		return map[string]any{"DownloadFailed": body}
	case d.done:
		body["modelDirectory"] = "/Users/sim/.exo/models/" + strings.ReplaceAll(p.ExoID, "/", "--")
		body["total"], body["readOnly"] = total, false
		return map[string]any{"DownloadCompleted": body}
	case d.ongoing:
		so := wire.Memory{InBytes: d.bytes}
		body["downloadProgress"] = map[string]any{
			"total": total, "downloaded": so, "downloadedThisSession": so,
			"completedFiles": 0, "totalFiles": 6, "speed": d.rate,
			"etaMs": d.remaining(p.WeightsBytes).Milliseconds(), "files": map[string]any{},
		}
		return map[string]any{"DownloadOngoing": body}
	}
	body["downloaded"], body["total"] = wire.Memory{InBytes: d.bytes}, total
	return map[string]any{"DownloadPending": body}
}

// remaining returns how long the rest of the download takes.
func (d download) remaining(total uint64) time.Duration {
	if d.rate <= 0 {
		return 0
	}
	return pace.Seconds(float64(total-d.bytes) / d.rate)
}
