//go:build !linux

package remote

import (
	"net"
	"time"
)

// limitUnacknowledged does nothing here: only Linux has such a limit.
func limitUnacknowledged(*net.TCPConn, time.Duration) {}

// waitBusily returns c: only on Linux it is known to be worth while.
func waitBusily(c *net.TCPConn, _ *BusyWait) net.Conn { return c }
