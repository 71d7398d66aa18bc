package remote

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// connection is a connection whose two sides have proven themselves.
type connection struct {
	net.Conn
	dec      *wire.Decoder // may hold bytes that came with the handshake
	peer     handshake.Peer
	attach   handshake.Attach // what the other side said
	outgoing bool             // this side has dialled
}

var (
	errReplaced = errors.New("remote: replaced by a newer connection")
	errStalled  = errors.New("remote: connection stalled")
	errFinished = errors.New("remote: hung up")
	errAck      = errors.New("remote: confirmation of frames that were never sent")
)

// stallChecks is how many heartbeats a connection may take without progress
// while something waits for confirmation: more than a member may be silent,
// because a large message on a slow network takes its time.
const stallChecks = 10

// link is a lane's connection at work: one goroutine reads it and one writes
// it.
type link struct {
	lane *lane
	conn *connection
	wg   sync.WaitGroup

	draining atomic.Bool

	failed chan struct{} // closed once by fail
	once   sync.Once
	err    error

	ackDue    atomic.Bool
	ackSent   atomic.Uint64
	ackTimer  *time.Timer
	ackArmed  atomic.Bool
	unacked   int    // bytes received since a confirmation was due; of the reader
	receivedN uint64 // lane.received when the link began

	// Of the goroutine that runs the lane.
	seenTaken, seenAcked, firstAcked uint64
	still                            int
}

func newLink(l *lane, c *connection) *link {
	k := &link{lane: l, conn: c, failed: make(chan struct{})}
	k.receivedN = l.received.Load()
	k.ackSent.Store(k.receivedN)
	l.mu.Lock()
	k.firstAcked = l.out.acked
	l.mu.Unlock()
	k.ackTimer = time.AfterFunc(time.Hour, func() {
		k.ackArmed.Store(false)
		k.ackDue.Store(true)
		l.poke()
	})
	k.ackTimer.Stop()
	return k
}

func (k *link) start() {
	k.conn.dec.Relax(wire.Session(k.lane.node.cfg.MaxMessage))
	k.wg.Go(func() { k.fail(k.read()) })
	k.wg.Go(func() {
		if err := k.write(); err != nil {
			// What the other side has sent before it ended may still be there
			// to be read. The reader ends the link.
			k.dryUp()
		}
	})
}

// fail ends the link. The first reason counts.
func (k *link) fail(err error) {
	k.once.Do(func() {
		k.err = err
		close(k.failed)
	})
}

// stop closes the connection and waits until nothing works on it any more.
func (k *link) stop() {
	k.fail(errFinished)
	k.conn.Close()
	k.wg.Wait()
	k.ackTimer.Stop()
}

// dryUp lets the reader go on until nothing comes for a moment.
func (k *link) dryUp() {
	k.draining.Store(true)
	_ = k.conn.SetReadDeadline(time.Now().Add(drainPause))
}

// drain delivers what has arrived, until nothing more comes for a moment.
func (k *link) drain() {
	if k.lane.node.ctx.Err() != nil {
		return
	}
	k.dryUp()
	enough := time.NewTimer(drainTime)
	defer enough.Stop()
	select {
	case <-k.failed:
	case <-enough.C:
	case <-k.lane.node.ctx.Done():
	}
}

// progress reports whether the link was of any use.
func (k *link) progress() bool {
	l := k.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.acked > k.firstAcked || l.received.Load() > k.receivedN
}

// stalled reports, called once a heartbeat, whether the other side has taken
// and confirmed nothing for too long.
func (k *link) stalled() bool {
	l := k.lane
	l.mu.Lock()
	taken, acked, idle := l.out.taken, l.out.acked, l.out.unconfirmed() == 0
	l.mu.Unlock()
	if idle || taken != k.seenTaken || acked != k.seenAcked {
		k.seenTaken, k.seenAcked, k.still = taken, acked, 0
		return false
	}
	k.still++
	return k.still >= stallChecks
}

// read delivers what arrives until the connection fails.
func (k *link) read() error {
	l, dec := k.lane, k.conn.dec
	if !k.ready() {
		return ErrClosed
	}
	for {
		for {
			f, ok, err := dec.Next()
			if err == nil && ok {
				err = k.receive(f)
			}
			if err != nil {
				l.node.stats.badFrames.Add(1)
				l.node.quiet.warn("bad frame", "node", l.peer.id, "lane", l.kind.String(), "error", err)
				return err
			}
			if !ok {
				break
			}
		}
		k.acknowledge()
		if k.draining.Load() {
			_ = k.conn.SetReadDeadline(time.Now().Add(drainPause))
		}
		n, err := k.conn.Read(dec.Space())
		dec.Advance(n)
		if err != nil && n == 0 {
			return err
		}
	}
}

// receive deals with one frame. An error means that the other side does not
// keep to the protocol.
func (k *link) receive(f wire.Frame) error {
	l := k.lane
	var err error
	switch {
	case f.Kind == wire.KindAck && l.sequenced():
		return k.receiveAck(f)
	case f.Kind == wire.KindSignal && l.kind == laneData:
		err = l.node.receiveSignal(l.peer, f)
	case f.Kind == wire.KindControl && l.kind == laneControl:
		err = l.node.receiveControl(l.peer, f)
	case f.Kind == wire.KindMembership && l.kind == laneMembership:
		return l.node.receiveMembership(l.peer, f)
	case f.Kind == wire.KindVoid && l.sequenced():
	default:
		return fmt.Errorf("%w: %v on lane %v", wire.ErrKind, f.Kind, l.kind)
	}
	l.received.Add(1)
	k.unacked += wire.HeaderSize + len(f.Head) + len(f.Payload)
	return err
}

func (k *link) receiveAck(f wire.Frame) error {
	var m wire.Ack
	if err := m.Unmarshal(f.Head); err != nil {
		return err
	}
	l := k.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.out.ack(m.Received) {
		return fmt.Errorf("%w: %d", errAck, m.Received)
	}
	return nil
}

// ready waits until what arrives may be delivered. It reports false if that is
// not to be.
func (k *link) ready() bool {
	p := k.lane.peer
	if k.lane.kind == laneMembership {
		return true
	}
	if p.follow != nil && !k.wait(p.follow.gone) {
		return false
	}
	return k.lane.kind == laneData || k.wait(p.up)
}

// wait waits until c is closed. It reports false if the link fails or its peer
// is retired before that.
func (k *link) wait(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
	}
	select {
	case <-c:
		return true
	case <-k.failed:
	case <-k.lane.peer.retired:
	}
	return false
}
