package exosim

import (
	"cmp"
	"fmt"
	"time"
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

// download brings the weights onto the disk if they are not there. A runner whose weights
// cannot come stays idle.
func (n *Node) download(i *instance) error {
	p := i.profile
	if f, ok := n.strikeInstance(DownloadFails, p.ExoID); ok {
		n.setDownload(p, download{failed: cmp.Or(f.Message, "Failed to download: Connection reset by peer")})
	}
	n.mu.Lock()
	d := *n.downloaded[p.ExoID]
	n.mu.Unlock()
	switch {
	case d.failed != "":
		return n.awaitEnd(i)
	case d.done:
		return nil
	case n.opts.Offline:
		n.setDownload(p, download{failed: "Model " + p.ExoID + " is not downloaded and exo runs offline"})
		return n.awaitEnd(i)
	}
	n.addTask(i, "DownloadModel", nil)
	total := seconds(float64(p.WeightsBytes) / n.opts.DownloadRate)
	for step := range downloadSteps {
		n.setDownload(p, download{
			ongoing: true,
			bytes:   p.WeightsBytes / downloadSteps * uint64(step),
			rate:    n.opts.DownloadRate * n.opts.Speed,
		})
		if err := n.pause(i, total/downloadSteps); err != nil {
			n.setDownload(p, download{bytes: p.WeightsBytes / downloadSteps * uint64(step)})
			return err
		}
	}
	n.setDownload(p, download{done: true})
	return nil
}

// StartDownload downloads the weights of a model as another user of the node would, who
// needs no instance for that.
func (n *Node) StartDownload(model string) error {
	p := n.profile(model)
	if p == nil || n.known(p.ExoID) == nil {
		return fmt.Errorf("the node has no model %q to download", model)
	}
	n.mu.Lock()
	d := n.downloaded[p.ExoID]
	again := d.done || d.ongoing
	if !again {
		*d = download{ongoing: true, byHand: true, rate: n.opts.DownloadRate * n.opts.Speed}
	}
	n.mu.Unlock()
	if again {
		return fmt.Errorf("%s is on the disk or on its way there", p.ExoID)
	}
	n.spawn(func() {
		for step := range downloadSteps {
			if n.sleep(seconds(float64(p.WeightsBytes)/n.opts.DownloadRate/downloadSteps)) != nil || !n.advance(d, p.WeightsBytes/downloadSteps*uint64(step)) {
				return
			}
		}
		n.setDownload(p, download{done: true})
	})
	return nil
}

// advance notes how far a download by hand has come; false when it was canceled.
func (n *Node) advance(d *download, bytes uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d.byHand {
		d.bytes = bytes
	}
	return d.byHand
}

// cancelDownloads is what exo does whenever an instance is deleted: it cancels the downloads
// that no instance needs. Those of the instance itself end with it.
func (n *Node) cancelDownloads() {
	for id, d := range n.downloaded {
		needed := false
		for _, i := range n.instances {
			needed = needed || i.profile.ExoID == id && !i.stopped
		}
		if d.byHand && d.ongoing && !needed {
			n.opts.Log.Info("download canceled", "model", id)
			*d = download{bytes: d.bytes}
		}
	}
}

func (n *Node) setDownload(p *Profile, d download) {
	n.mu.Lock()
	defer n.mu.Unlock()
	*n.downloaded[p.ExoID] = d
}

// remaining returns how long the rest of the download takes.
func (d download) remaining(total uint64) time.Duration {
	if d.rate <= 0 {
		return 0
	}
	return seconds(float64(total-d.bytes) / d.rate)
}
