// Package compare says by how much the figures of models differ between two sets of turns, such as those
// before and after an update, or between two models, and how sure that is.
//
// Levels of turns go in, one for each turn, so that what all requests of a turn have in common is noise once
// and not ten times; out comes a Change: the Hodges–Lehmann estimate of the shift, with an interval that
// holds whatever the distribution of the noise is. Everything is deterministic, and nothing is drawn at random.
package compare
