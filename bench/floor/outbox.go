package floor

import (
	"net"
	"sync"
)

// outbox gathers small frames of several senders, which a goroutine of its own
// writes: everything that has come together during the last write.
type outbox struct {
	conn net.Conn

	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	err     error
}

// full is how much may wait before senders have to.
const full = 1 << 20

func newOutbox(conn net.Conn) *outbox {
	o := &outbox{conn: conn}
	o.changed.L = &o.mu
	return o
}

func (o *outbox) put(f frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) > full && o.err == nil {
		o.changed.Wait()
	}
	if len(o.waiting) == 0 {
		o.changed.Broadcast()
	}
	o.waiting = f.appendTo(o.waiting)
	return o.err
}

// write runs until the connection fails or the outbox is closed.
func (o *outbox) write() {
	var writing []byte
	for {
		o.mu.Lock()
		for len(o.waiting) == 0 && o.err == nil {
			o.changed.Wait()
		}
		writing, o.waiting = o.waiting, writing[:0]
		if len(writing) > full {
			o.changed.Broadcast()
		}
		err := o.err
		o.mu.Unlock()
		if err == nil {
			_, err = o.conn.Write(writing)
		}
		if err != nil {
			o.fail(err)
			return
		}
	}
}

func (o *outbox) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	o.changed.Broadcast()
}

func (o *outbox) close() {
	o.fail(net.ErrClosed)
	o.conn.Close()
}
