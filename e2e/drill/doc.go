// Package drill is the fire drill of the alerts: the real exporter, a real exo-sim, a real
// Prometheus with the repository's own configuration, a real Alertmanager with its own, and a
// receiver of webhooks that counts. It asserts that people get exactly the messages that they
// should:
//
//  1. one model becomes 10 % slower: one message, about that model, and none about its first tokens;
//  2. it is fast again: one message, that this is over;
//  3. exo is killed: one message, that exo is down, and none about models; when exo runs again,
//     one that this is over;
//  4. the exporter is killed: one message, that it cannot be scraped; when it runs again, one
//     that this is over.
//
// Where the machine is so busy that for two intervals no cycle ends, the alert about that is right, and no fault of what
// is drilled: the exporter's own count of cycles tells when.
//
// A cycle takes three seconds, and the rules are those that the exporter generates for that
// interval. They learn what is normal from some ninety real cycles before the first round,
// which takes five minutes; a round takes three. The tools have to be installed (see package
// e2e).
//
//	cd e2e && go test -v ./drill                          # one round
//	cd e2e && go test -v -timeout=40m ./drill -rounds=5   # five, on the same stack
package drill
