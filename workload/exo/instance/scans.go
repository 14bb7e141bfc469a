package instance

import "time"

// scans knows when a machine reads its list of downloads again, and so makes one event for each
// model that it knows of, within a second or so. It does so a minute after it has done it last.
// Of a scan the size is known, and when it may be; of several machines' only the size.
type scans struct {
	first, last time.Time // between which the latest one was that was recognized; zero for none
}

const (
	scanEvery = time.Minute
	scanDrift = 3 * time.Second // by which a scan may come later after the one before
	scanEarly = time.Second     // by which one may be counted before it is due

	scanLess = 12 // events that a scan may lack of one for each model, and of few models a tenth
	scanMore = 8  // events that come at once with it, each minute

	scanLook  = 500 * time.Millisecond // from one look at a scan that goes on to the next
	scanLull  = 2                      // events from one look to the next, at most, when none goes on
	scanLasts = 5 * time.Second        // a scan, at most
)

// judge tells whether so many events too many in a span, at least and at most, may be those of
// scans. Where a scan may be it may also go on, however many events there are of others.
func (k *scans) judge(s span, least, most int64, c cluster) (v verdict) {
	if c.cards == 0 || c.nodes == 1 && !k.due(s) {
		return v
	}
	v.open = true
	for n := range c.nodes * int(1+s.took()/scanEvery) {
		v.scan = v.scan || c.scans(n+1, least, most)
	}
	return v
}

// due reports whether a scan of the one machine may be in the span: where none is known yet, or
// where a whole number of minutes has passed since the last one.
func (k *scans) due(s span) bool {
	if k.last.IsZero() {
		return true
	}
	from, to := k.first.Add(scanEvery-scanEarly), k.last.Add(scanEvery+scanDrift)
	for to.Before(s.from.at) && to.Sub(from) < scanEvery {
		from, to = from.Add(scanEvery), to.Add(scanEvery+scanDrift)
	}
	return !from.After(s.to.at)
}

// learn takes in a span that is judged. One with as many events as a scan at a time when none
// can be means that the times are wrong, as after exo's restart.
func (k *scans) learn(s span, v verdict, c cluster) {
	switch {
	case c.nodes != 1:
	case v.scan:
		k.first, k.last = s.from.at, s.to.at
	case !k.due(s) && c.scans(1, v.others, v.others):
		k.first, k.last = time.Time{}, time.Time{}
	}
}

// scans reports whether so many events, at least and at most, can be those of n scans.
func (c cluster) scans(n int, least, most int64) bool {
	whole := int64(n * c.cards)
	return most >= whole-min(whole/10, scanLess) && least <= whole+scanMore
}
