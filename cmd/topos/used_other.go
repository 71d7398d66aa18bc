//go:build !linux

package main

import "time"

// used returns nothing: what other systems measure is not the same.
func used() (peak uint64, busy time.Duration) { return 0, 0 }
