// Package record keeps every single result, so that what counters have summed up can be looked
// into: as JSON Lines in a file that is bounded by size.
//
//	Runner → Keeper (bounded queue) → log (files, rotated) → Each, Find
//
// A Record is a Result or a Turn in the form in which `once -json` prints it, with what it takes
// to understand it alone. Report is that command's own document, and Report.Records makes the
// same records of it, so that whoever reads one reads the other. Neither holds the text of a
// prompt or an answer. docs/results.md describes the form.
package record
