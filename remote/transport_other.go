//go:build !linux

package remote

import (
	"net"
	"time"
)

// limitUnacknowledged does nothing here: only Linux has such a limit.
func limitUnacknowledged(*net.TCPConn, time.Duration) {}
