// Package judge says whether a model has become slower, from its turns alone.
//
//	Turn → Judge.Add → Verdict of each quantity of the model, and of the node
//
// A Judge is told of turns one by one, in the order in which they were run, and knows after each
// what can be said: by how much decoding, prefill or the first token changed, since when, how
// sure that is, of what kind it is and which prompts it concerns. It has neither a clock nor any
// other way to learn of time than the turns, so that replaying a log of records gives the
// verdicts again. docs/judge.md explains how it decides and how well.
//
// All speeds are logarithms inside, so that a difference is a ratio, and of a time to first token
// the negative: less is always slower.
package judge
