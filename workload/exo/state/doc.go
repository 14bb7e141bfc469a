// Package state reads the state of an exo 1.x node: one reader, one snapshot, for everybody
// who wants to know something of it.
//
//	Reader.Look(parts, how old they may be) → GET /state/PART → decode as a stream → Snapshot
//
// What is read is typed, and a stream: what nobody asks for is passed over byte by byte,
// above all the prompts in people's tasks, and memory does not grow with what arrives. A
// document that holds more of what is kept than any exo, or that is nested deeper, ends with
// an error that wraps ErrTooBig.
//
// exo moves things about from version to version. What is tolerated is a rule, and no more:
//
//   - A key is known by its camelCase name and by the same in snake_case.
//   - A tagged union is an object of one key, {"Tag": {…}}, or the tag alone as a string. A
//     tag that is not known is kept as it is. The body may also stand without a tag.
//   - Each field is looked for at the places that are named in its decoder, in their order,
//     and nowhere else. Where none has it, it is not known; that is never an error.
//   - A map by id may also come as a list of objects that hold their ids.
//   - A part that exo does not have (404) is not known. Where there is no /state/instances,
//     the whole of /state is read (before v1.0.70).
package state
