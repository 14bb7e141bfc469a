// Package power makes the energy of a request out of the power that exo shows, and keeps what else the machines showed meanwhile.
//
//	Meter.Rest      before a turn: what the machines draw when nothing is asked of them
//	Meter.Begin     before a request → Watch, which looks once a second → Watch.End: joules; Watch.Sensors: heat and load
//
// exo reads each machine's power once a second and shows the last reading below /state/nodeSystem, which is some hundred
// bytes. A request is watched by one goroutine with one look under way at most, on a connection of its own, which shares
// nothing with the stream that is timed; looks become rarer the longer a request takes. What a look costs exo itself is
// that it writes its state down once, as for any other look, which takes milliseconds in which no token leaves it: Looks says
// when, so that no gap beside one is taken for the model's. There are none where no machine tells its power, or
// where exo can only be asked for the whole of its state.
package power
