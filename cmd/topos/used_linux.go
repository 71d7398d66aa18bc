package main

import (
	"syscall"
	"time"
)

// used returns how much memory the process has had at most, and how long processors
// have worked for it; 0 if that cannot be known.
func used() (peak uint64, busy time.Duration) {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0, 0
	}
	return uint64(usage.Maxrss) << 10, time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
