// Command backfill writes a month of the exporter's series into a TSDB without waiting for it,
// and measures what every query of the dashboards costs there.
//
//	go run . write /tmp/month
//	prometheus --config.file=/dev/null --storage.tsdb.path=/tmp/month --storage.tsdb.retention.time=1y
//	go run . measure http://localhost:9090
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() { os.Exit(run()) }

func run() int {
	flags := flag.NewFlagSet("backfill", flag.ExitOnError)
	days := flags.Int("days", 30, "length of the history")
	runs := flags.Int("runs", 5, "how often each query is asked")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: backfill [-days N] write DIRECTORY\n       backfill [-days N] [-runs N] measure URL")
		flags.PrintDefaults()
	}
	_ = flags.Parse(os.Args[1:]) // it exits on an error
	var err error
	switch length := time.Duration(*days) * 24 * time.Hour; {
	case flags.NArg() == 2 && flags.Arg(0) == "write":
		err = write(flags.Arg(1), length)
	case flags.NArg() == 2 && flags.Arg(0) == "measure":
		err = measure(flags.Arg(1), length, *runs)
	default:
		flags.Usage()
		return 2
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "backfill:", err)
		return 1
	}
	return 0
}
