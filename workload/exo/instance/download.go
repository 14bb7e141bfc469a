package instance

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

// download is the state of a model's weights on the nodes of an instance, summed up.
type download struct {
	active      bool // not complete on some node
	done, total uint64
	speed       float64 // bytes per second, exo's own figure
	failed      string  // exo's reason
}

func (d download) String() string {
	switch {
	case d.failed != "":
		return "failed"
	case !d.active:
		return "none"
	case d.total == 0:
		return "pending"
	}
	return fmt.Sprintf("%s of %s at %.1f MB/s", gib(d.done), gib(d.total), d.speed/1e6)
}

// downloadOf reads the download of a model on nodes. exo lists downloads by node, as
// {"DownloadOngoing": {…}} or Pending, Completed, Failed.
func (n *node) downloadOf(ctx context.Context, model string, nodes []string) (download, error) {
	var sum download
	for _, id := range nodes {
		list, err := n.downloads(ctx, id)
		if err != nil {
			return sum, err
		}
		entries, _ := list.([]any)
		for _, e := range entries {
			kind, body := untag(e)
			if text(search(body, "modelId")) == model {
				sum.add(kind, body)
			}
		}
	}
	return sum, nil
}

func (d *download) add(kind string, body any) {
	switch {
	case strings.HasSuffix(kind, "Failed"):
		d.failed = cmp.Or(text(child(body, "errorMessage")), "exo does not say why")
		return
	case strings.HasSuffix(kind, "Ongoing"):
		body = child(body, "downloadProgress")
	case strings.HasSuffix(kind, "Pending"):
	default: // complete, or a variant that says nothing about progress
		return
	}
	d.active = true
	d.done += either(body, "downloaded", "downloadedBytes")
	d.total += either(body, "total", "totalBytes")
	if s, ok := child(body, "speed").(float64); ok {
		d.speed += s
	}
}

func either(v any, keys ...string) uint64 {
	for _, k := range keys {
		if n, ok := amount(child(v, k)); ok {
			return n
		}
	}
	return 0
}
