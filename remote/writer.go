package remote

import (
	"net"
	"time"

	"github.com/topos-go/topos/remote/wire"
)

const (
	// maxWrite bounds one write, so that progress can be seen on slow networks.
	maxWrite = 256 << 10
	// ackBytes is after how much a confirmation is sent at once, ackDelay when
	// otherwise, unless something else is sent before.
	ackBytes = 128 << 10
	ackDelay = 5 * time.Millisecond
)

// hangUp ends the writing half of the connection and leaves it to the other side
// to end the rest, soon: closing it all could lose what is still under way. It
// always returns nil.
func (k *link) hangUp() error {
	half, ok := k.conn.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		k.fail(errFinished)
		return nil
	}
	k.dryUp()
	return nil
}

// write sends what is queued until the connection fails, with an error, or is
// to be hung up. What has gathered since the last write goes out in one.
func (k *link) write() error {
	l := k.lane
	var bufs net.Buffers
	for {
		l.mu.Lock()
		taken := l.out.take(bufs[:0], maxWrite)
		finish, cut := l.finish && len(taken) == 0, l.out.cut()
		l.mu.Unlock()
		bufs = taken
		if !cut && (len(taken) > 0 || k.ackDue.Swap(false)) {
			if ack := k.ackFrame(); ack != nil {
				taken = append(taken, ack)
			}
		}
		if len(taken) == 0 {
			if finish {
				return k.hangUp()
			}
			select {
			case <-l.wake:
			case <-k.failed:
				return nil
			}
			continue
		}
		out := net.Buffers(taken)
		if _, err := out.WriteTo(k.conn.Conn); err != nil {
			return err
		}
		l.mu.Lock()
		l.out.wrote()
		if !l.sequenced() {
			l.out.ack(l.out.taken - 1)
		}
		l.mu.Unlock()
	}
}

// ackFrame returns a confirmation of what has been received; nil if the other
// side knows already.
func (k *link) ackFrame() []byte {
	received := k.lane.received.Load()
	if !k.lane.sequenced() || received == k.ackSent.Load() {
		return nil
	}
	k.ackSent.Store(received)
	return wire.Append(nil, wire.KindAck, &wire.Ack{Received: received}, 0)
}

// acknowledge sees to it that what has been received is confirmed soon.
func (k *link) acknowledge() {
	if k.unacked == 0 {
		return
	}
	if k.unacked >= ackBytes {
		k.unacked = 0
		k.ackDue.Store(true)
		k.lane.poke()
		return
	}
	if k.ackArmed.CompareAndSwap(false, true) {
		k.unacked = 0
		k.ackTimer.Reset(ackDelay)
	}
}
