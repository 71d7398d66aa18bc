package remote

import (
	"time"

	"github.com/topos-go/topos/remote/wire"
)

const (
	// maxWrite bounds one write, longWrite one of long pieces, and slowWrite one on
	// a lane that has not yet written quickBytes within a heartbeat, so that
	// progress can be seen on slow networks.
	maxWrite   = 256 << 10
	longWrite  = 2 * longPiece
	slowWrite  = 16 << 10
	quickBytes = 1 << 20
	// ackBytes is after how much a confirmation is sent at once, ackDelay when
	// otherwise, unless something else is sent when there are ackFrames: one with
	// each answer would cost more than it is worth.
	ackBytes  = 256 << 10
	ackDelay  = 5 * time.Millisecond
	ackFrames = 64
	// atOnce is how much may be on its way on a lane for a sender to write
	// itself: as much as a socket's buffer takes without waiting.
	atOnce = 16 << 10
	// calm is how long a lane has had nothing to send for a sender to write
	// itself: else there is more to come, which had better be written together.
	calm = 15 * time.Microsecond
	// yield is how often a lane that lets others go first looks whether they
	// have gone, and maxYields how often at most before it writes once more.
	yield     = time.Millisecond
	maxYields = 50
)

// hangUp ends the writing half of the connection and leaves it to the other side
// to end the rest, soon: closing it all could lose what is still under way.
func (k *link) hangUp() {
	half, ok := k.conn.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		k.fail(errFinished)
		return
	}
	k.dryUp()
}

// write sends what is queued until the connection fails, with an error, or is
// to be hung up. What has gathered since the last write goes out in one.
func (k *link) write() error {
	l, s := k.lane, k.lane.stream
	for {
		s.mu.Lock()
		taken := !l.writing && l.takeLocked(k)
		finish := l.finish && !taken && !l.writing && !l.out.unsent()
		l.asleep = !taken && !finish
		s.mu.Unlock()
		switch {
		case taken:
			err := k.flush()
			s.mu.Lock()
			l.doneLocked(err)
			s.mu.Unlock()
			if err != nil {
				return err
			}
			l.stream.letOthers()
		case finish:
			k.hangUp()
			return nil
		default:
			select {
			case <-l.wake:
			case <-k.failed:
				return nil
			}
		}
	}
}

// takeLocked takes what is to be written next. It reports false if there is
// nothing; else the caller writes, and then calls doneLocked. The stream's lock
// is held.
func (l *lane) takeLocked(k *link) bool {
	l.out.window = l.windowLocked()
	l.out.queue.pieces.fast = !l.slow && l.pace.fast()
	bufs := l.out.take(l.bufs[:0], l.mostLocked())
	if l.out.way > pieceSize {
		l.pace.began(time.Now(), l.out.taken-1, l.out.held())
	}
	l.stream.refillLocked()
	if !l.out.cut() && (k.ackDue.Swap(false) || l.received.Load()-k.ackSent.Load() >= ackFrames) {
		if ack := l.ackLocked(k); ack != nil {
			bufs = append(bufs, ack)
		}
	}
	l.bufs = bufs
	l.writing = len(bufs) > 0
	return l.writing
}

// windowLocked is how much of large messages may be on its way. The stream's lock is
// held.
func (l *lane) windowLocked() int { return l.pace.limit(l.out.queue.pieces.mixed > 0) }

// mostLocked is how much may be written at once. The stream's lock is held.
func (l *lane) mostLocked() int {
	switch {
	case l.slow:
		return slowWrite
	case l.out.queue.pieces.long():
		return longWrite
	}
	return maxWrite
}

// ackLocked returns a confirmation of what has been received; nil if the other
// side knows already.
func (l *lane) ackLocked(k *link) []byte {
	received := l.received.Load()
	if !l.sequenced() || received == k.ackSent.Load() && len(l.confirms) == 0 && !l.freed.Swap(false) {
		return nil
	}
	k.ackSent.Store(received)
	ack := wire.Ack{Received: received, Known: l.confirms}
	if first := l.held.Load(); first != 0 && first <= received {
		// What waits for others counts as the sender's until it is delivered.
		ack.Received, ack.Come = first-1, received
	}
	l.ack = wire.Append(l.ack[:0], wire.KindAck, &ack, 0)
	l.confirms = nil
	return l.ack
}

// doneLocked says that what was taken has been written, unless err says that it
// was not. The stream's lock is held.
func (l *lane) doneLocked(err error) {
	l.writing = false
	clear(l.bufs)
	if err == nil {
		l.out.wrote()
		if !l.sequenced() {
			l.out.ack(l.out.taken-1, 0)
		}
		l.confirmLocked()
		if l.slow && l.link != nil {
			l.slow = !l.link.quick()
		}
	}
	if l.written != nil {
		close(l.written)
		l.written = nil
	}
}

// quick reports whether much has been written as soon as the link had begun.
func (k *link) quick() bool {
	return k.lane.spent.Load()-k.spentN > quickBytes && time.Since(k.begun) < k.lane.node.cfg.Heartbeat
}

// flush writes what takeLocked has taken.
func (k *link) flush() error {
	k.lane.rest = k.lane.bufs
	n, err := k.pipe.write(&k.lane.rest)
	k.lane.spent.Add(n)
	return err
}

// mayWrite reports whether a sender may write what it has just queued, instead
// of waking the writer: if it can be sure not to wait. The stream's lock is held.
func (l *lane) mayWrite() bool {
	if l.link == nil || l.writing || l.out.size() > atOnce || l.out.queue.frames != 1 {
		return false
	}
	now := time.Now()
	before := l.used
	l.used = now
	return now.Sub(before) > calm
}

// writeAtOnce writes what is queued. It is called with the stream's lock held,
// which it gives up.
func (l *lane) writeAtOnce() {
	k, s := l.link, l.stream
	if !l.takeLocked(k) {
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	err := k.flush()
	s.mu.Lock()
	l.doneLocked(err)
	if err != nil || l.out.unsent() || k.ackDue.Load() {
		l.asleep = false
		l.poke() // the writer goes on, or meets the same error
	}
	s.mu.Unlock()
	if err != nil {
		k.dryUp()
	}
}

// acknowledge sees to it that what has been received is confirmed soon.
func (k *link) acknowledge() {
	if k.unacked == 0 {
		return
	}
	if k.unacked >= ackBytes {
		k.unacked = 0
		k.confirmHere()
		return
	}
	if k.ackArmed.CompareAndSwap(false, true) {
		k.unacked = 0
		k.ackTimer.Reset(ackDelay)
	}
}

// confirmNow lets the writer send a confirmation.
func (k *link) confirmNow() {
	k.ackDue.Store(true)
	k.lane.stream.mu.Lock()
	k.lane.rouse()
	k.lane.stream.mu.Unlock()
}

// confirmFreed sees to it that what has waited is confirmed soon.
func (l *lane) confirmFreed() {
	l.freed.Store(true)
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	if l.link != nil {
		l.link.ackDue.Store(true)
		l.rouse()
	}
}

// confirmHere sends a confirmation on the goroutine that reads, if that need not
// wait: it costs less than to wake the writer.
func (k *link) confirmHere() {
	l := k.lane
	k.ackDue.Store(true)
	l.stream.mu.Lock()
	if l.link == k && !l.writing && l.out.size() <= atOnce {
		l.writeAtOnce() // unlocks
		return
	}
	l.rouse()
	l.stream.mu.Unlock()
}

// letOthers pauses while a channel of higher priority to the same node has
// something to send. It writes seldom then, but it does.
func (s *stream) letOthers() {
	if !s.peer.urgent(s.ch.Priority) {
		return
	}
	pause := time.NewTicker(yield)
	defer pause.Stop()
	for range maxYields {
		select {
		case <-pause.C:
		case <-s.peer.retired:
			return
		}
		if !s.peer.urgent(s.ch.Priority) {
			return
		}
	}
}
