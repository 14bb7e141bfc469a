// Package instance drives the life of exo 1.x instances as a careful guest: it uses what
// people have loaded, loads what is missing, and leaves everything else as it found it.
//
//	Acquire → ready instance of somebody else's            → Release leaves it alone
//	        → placement → record → POST /instance → ready  → Release: DELETE, gone, record dropped
//
// Four rules hold everywhere:
//
//   - Nothing is deleted but what a record in the state directory names, and the record is
//     on disk, with the id that exo proposed, before the instance is asked for. One function
//     sends DELETE, and it takes a record. On an exo that does not tell the id in advance
//     nothing is placed.
//   - No DELETE is sent while exo shows a download of somebody else's, which it would cancel.
//   - No second instance of a model is placed beside one that is somebody else's: exo gives
//     each request to the instance of the model with the fewest tasks, so requests would
//     reach theirs, and hang there if it is dead.
//   - Of other people's tasks only status, instance id and command id are decoded. Prompts
//     are skipped by the decoder.
//
// Every look at exo's state costs exo's API process a dump of its whole state, so looks are
// few: four a second while something loads, one in some seconds while something is measured.
package instance
