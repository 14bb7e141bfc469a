// Package drill is the fire drill of the alerts: the real exporter, a real exo-sim, a real
// Prometheus with the repository's own configuration, a real Alertmanager with its own, and a
// receiver of webhooks that counts. It asserts that people get exactly the messages that they
// should:
//
//  1. one model becomes 20 % slower: one message, about that model, and none about its first tokens;
//  2. the exporter is killed and started again meanwhile: none;
//  3. the model is fast again: one message, that this is over;
//  4. exo is killed: one message, that exo is down, and none about models; when exo runs again,
//     one that this is over;
//  5. the exporter is killed: one message, that it cannot be scraped; when it runs again, one
//     that this is over.
//
// Where the machine is so busy that for two intervals no cycle ends, the alert about that is right, and no fault of what
// is drilled: the exporter's own count of cycles tells when.
//
// A cycle takes three seconds, and the rules are those that the exporter generates for that
// interval. Nothing is called slow before 24 cycles and a day are known of a model, so the exporter
// finds the records of an earlier run: of cycles that it has really measured here, told once more of
// yesterday and of the last minutes. A round takes three minutes. The tools have to be installed
// (see package e2e).
//
//	cd e2e && go test -v ./drill                          # one round
//	cd e2e && go test -v -timeout=40m ./drill -rounds=5   # five, on the same stack
package drill
