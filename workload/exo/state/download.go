package state

import (
	"cmp"
	"strings"

	"exo-bench-exporter/workload/exo/foreign"
)

// Download is a model's download on a node that is not complete.
type Download struct {
	Node, Model string
	Kind        string // variant, for example DownloadOngoing
	Done, Total uint64 // bytes
	Speed       float64
	Reason      string // of a failure
}

// Ongoing, Pending and Failed tell the variants that mean something here.
func (d Download) Ongoing() bool { return strings.HasSuffix(d.Kind, "Ongoing") }

// Pending reports whether the download has not begun.
func (d Download) Pending() bool { return strings.HasSuffix(d.Kind, "Pending") }

// Failed reports whether the download was given up.
func (d Download) Failed() bool { return strings.HasSuffix(d.Kind, "Failed") }

// downloads reads {"NODE": [{"DownloadOngoing": {…}}, …]}. The places of a model's id are
// shardMetadata.TAG.modelCard.modelId, shardMetadata.modelCard.modelId and modelId; those of
// the progress are downloadProgress and, while pending, the body.
func (s *scanner) downloads() (all []Download, cards map[string]int) {
	cards = map[string]int{}
	s.object(func(node string) {
		node = foreign.ID(node)
		s.keep(itemCost)
		s.array(func(int) {
			cards[node]++
			before := s.kept
			d := s.download()
			if d.Kind == "" || strings.HasSuffix(d.Kind, "Completed") {
				s.kept = before
				return
			}
			s.keep(itemCost)
			d.Node = node
			all = append(all, d)
		})
	})
	return all, cards
}

func (s *scanner) download() Download {
	var d Download
	var model string
	kind := s.union(func() { d, model = Download{}, "" }, append(d.progress(),
		id("modelId", &model), text("errorMessage", foreign.MaxLine, &d.Reason),
		field{"shardMetadata", func(s *scanner) {
			s.union(func() { d.Model = "" }, field{"modelCard", func(s *scanner) { s.fields(id("modelId", &d.Model)) }})
		}},
		field{"downloadProgress", func(s *scanner) { s.fields(d.progress()...) }},
	)...)
	d.Kind, d.Model = kind, cmp.Or(d.Model, model)
	return d
}

// progress are the fields of a download's progress; those before v1.0.62 end in Bytes.
func (d *Download) progress() []field {
	done, total := func(b uint64) { d.Done = b }, func(b uint64) { d.Total = b }
	return []field{
		amount("downloaded", done), amount("downloadedBytes", done), amount("total", total), amount("totalBytes", total),
		{"speed", func(s *scanner) { d.Speed, _ = s.number() }},
	}
}
