package judge

// node judges what the models of a node have in common: the middle of their deviations, a cycle at
// a time.
type node struct {
	Series series
	Tails  tails
	Cycle  int
	At     int64
	Seen   map[string]float64 // deviation of each model in the cycle
	Models int                // in the cycle before
}

// leastModels is the number of models without which nothing is common.
const leastModels = 3

// nodeStrict is by how much more evidence the node takes than a model: its noise is lower, so that this
// costs nothing.
const nodeStrict = 1.2

// add takes the deviation of a model in a cycle. A cycle is complete with the last of the models that
// were there in the one before, or with the first turn of the next.
func (n *node) add(c context, model string, at int64, deviation float64) {
	if _, again := n.Seen[model]; again || c.cycle != n.Cycle {
		n.complete(c)
		n.Seen = nil
	}
	if n.Seen == nil {
		n.Seen = map[string]float64{}
	}
	n.Cycle, n.At = c.cycle, at
	n.Seen[model] = deviation
	if len(n.Seen) >= n.Models {
		n.complete(c)
	}
}

// complete gives the series the value of the cycle, once.
func (n *node) complete(c context) {
	c.cycle = n.Cycle
	if n.At == 0 || len(n.Seen) < leastModels || len(n.Series.Points) > 0 && n.Series.newest().At == n.At {
		n.Models = max(leastModels, len(n.Seen))
		return
	}
	n.Models = len(n.Seen)
	vs := make([]weighed, 0, len(n.Seen))
	for _, v := range n.Seen {
		vs = append(vs, weighed{value: v, weight: 1})
	}
	c.strict *= nodeStrict
	c.model, c.tails = "", &n.Tails
	n.Series.add(c, n.At, midmean(vs))
}
