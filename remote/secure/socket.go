package secure

import (
	"net"
	"sync"
	"time"
)

// closeWait is how long the last alert of a connection that is closed may take:
// none if the socket has room for it, and if not, nobody is reading.
const closeWait = 100 * time.Millisecond

// socket is the connection beneath TLS. crypto/tls would let the last alert
// take five seconds, and the goroutine that closes with it.
type socket struct {
	net.Conn

	mu    sync.Mutex
	hurry bool
}

// hasten bounds writes from now on, and one that is under way.
func (s *socket) hasten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hurry = true
	_ = s.Conn.SetWriteDeadline(time.Now().Add(closeWait))
}

// SetWriteDeadline sets the deadline, or an earlier one.
func (s *socket) SetWriteDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if latest := time.Now().Add(closeWait); s.hurry && (at.IsZero() || at.After(latest)) {
		at = latest
	}
	return s.Conn.SetWriteDeadline(at)
}
