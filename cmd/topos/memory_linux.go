package main

import "syscall"

// peakBytes returns how much memory the process has had at most, 0 if that
// cannot be known.
func peakBytes() uint64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return uint64(usage.Maxrss) << 10
}
