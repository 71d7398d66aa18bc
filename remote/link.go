package remote

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
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
	relayed  bool             // over another node: see tunnel
}

var (
	errReplaced = errors.New("remote: replaced by a newer connection")
	errStalled  = errors.New("remote: connection stalled")
	errFinished = errors.New("remote: hung up")
	errAck      = errors.New("remote: confirmation of frames that were never sent")
)

// worthYielding is the size of a payload from which its reader lets others go
// first: on a busy node that costs it a turn.
const worthYielding = 256 << 10

// stallChecks is how many heartbeats a connection may take without progress
// while something waits for confirmation: more than a member may be silent,
// because a large message on a slow network takes its time.
const stallChecks = 10

// link is a lane's connection at work: one goroutine reads it and one writes
// it.
type link struct {
	lane *lane
	conn *connection
	pipe *pipe
	// inflow delivers plain messages; nil if all take the long way. Of the reader.
	inflow *actor.Inflow
	// repeats is the reader's memory for some of them, once it has met one.
	repeats *[atATime]wire.Repeat
	wg      sync.WaitGroup

	draining atomic.Bool

	failed chan struct{} // closed once by fail
	once   sync.Once
	err    error

	ackDue    atomic.Bool
	ackSent   atomic.Uint64 // the last count of received frames that was told
	ackTimer  *time.Timer
	ackArmed  atomic.Bool
	unacked   int    // bytes received since a confirmation was due; of the reader
	small     int    // bytes received of small messages, since ballast was told; of the reader
	receivedN uint64 // lane.received when the link began
	spentN    uint64 // lane.spent then

	// Of the goroutine that runs the lane.
	seenTaken, seenCome, seenSpent, firstAcked uint64
	still                                      int
	seenUse                                    uint64
	begun, rested                              time.Time // when it began, and when it was last of use
	checked                                    time.Time // when a more direct way was last looked for
}

func newLink(l *lane, c *connection) (*link, error) {
	k := &link{lane: l, conn: c, failed: make(chan struct{}), begun: time.Now(), checked: time.Now()}
	var err error
	if k.pipe, err = newPipe(c, l.stream.ch.Compression, Compression(c.attach.Compression)); err != nil {
		return nil, err
	}
	if l.node.inflower != nil {
		k.inflow = l.node.inflower.Inflow()
	}
	k.receivedN, k.spentN = l.received.Load(), l.spent.Load()
	k.ackSent.Store(k.receivedN)
	l.stream.mu.Lock()
	k.firstAcked, l.slow = l.out.acked, true
	l.stream.mu.Unlock()
	k.ackTimer = time.AfterFunc(time.Hour, func() {
		k.ackArmed.Store(false)
		k.confirmNow()
	})
	k.ackTimer.Stop()
	return k, nil
}

func (k *link) start() {
	var memory wire.Memory = k.lane.node.recycler
	if k.lane.stream.ch.Lend {
		memory = &k.lane.node.loans
	}
	k.conn.dec.Relax(wire.Session(k.lane.node.cfg.MaxMessage), &k.lane.parts, memory)
	k.wg.Go(func() {
		k.fail(k.read())
		k.pipe.close()
	})
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
	k.lane.node.loans.rest()
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

// progress reports whether the link was of any use, or at least lasted.
func (k *link) progress() bool {
	l := k.lane
	if time.Since(k.begun) >= l.node.cfg.RedialMax {
		return true
	}
	l.stream.mu.Lock()
	defer l.stream.mu.Unlock()
	return l.out.acked > k.firstAcked || l.received.Load() > k.receivedN
}

// stalled reports, called once a heartbeat, whether the other side has taken
// nothing for too long, though there is something for it.
func (k *link) stalled() bool {
	l := k.lane
	spent := l.spent.Load()
	l.stream.mu.Lock()
	l.slow = l.slow && spent-k.seenSpent <= quickBytes
	taken, come, idle := l.out.taken, l.out.come, l.out.way == 0
	l.stream.mu.Unlock()
	if idle || taken != k.seenTaken || come != k.seenCome || spent != k.seenSpent {
		k.seenTaken, k.seenCome, k.seenSpent, k.still = taken, come, spent, 0
		return false
	}
	k.still++
	return k.still >= stallChecks
}

// idle reports, called once a heartbeat, whether the lane has had no use for its
// connection for so long that it should be closed: by the side that made it.
func (k *link) idle() bool {
	l, now := k.lane, time.Now()
	l.stream.mu.Lock()
	use, settled := l.received.Load()+l.pushed, l.out.size() == 0
	l.out.queue.memory.trim()
	if use == k.seenUse {
		l.out.shrink()
		l.node.loans.rest()
	}
	l.stream.mu.Unlock()
	if use != k.seenUse || !settled || k.rested.IsZero() {
		k.seenUse, k.rested = use, now
	}
	return k.conn.outgoing && now.Sub(k.rested) >= l.stream.ch.Idle
}

// slim gives up the memory that only a busy lane needs.
func (k *link) slim() {
	s := k.lane.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	k.lane.out.shrink()
}

// read delivers what arrives until the connection fails.
func (k *link) read() error {
	l, dec := k.lane, k.conn.dec
	if !k.ready() {
		return ErrClosed
	}
	defer k.settle()
	repeats := k.inflow != nil && l.stream.kind == streamData
	for {
		for {
			var f wire.Frame
			var ok bool
			var err error
			if repeats {
				err = k.receiveRepeats()
			}
			if err == nil {
				f, ok, err = dec.Next()
			}
			if err == nil && ok {
				err = k.receive(f)
			}
			if err != nil {
				l.node.stats.badFrames.Add(1)
				l.node.quiet.warn("bad frame", "node", l.peer.id, "lane", l, "error", err)
				return err
			}
			if !ok {
				break
			}
		}
		k.settle()
		k.acknowledge()
		l.node.ballast.received(k.small)
		k.small = 0
		if k.draining.Load() {
			_ = k.conn.SetReadDeadline(time.Now().Add(drainPause))
		}
		n, err := k.pipe.in.Read(dec.Space())
		dec.Advance(n)
		if err != nil && n == 0 {
			return err
		}
	}
}

// settle lets the processes run that have got messages.
func (k *link) settle() {
	if k.inflow != nil {
		k.inflow.Flush()
	}
}

// receive deals with one frame. An error means that the other side does not
// keep to the protocol.
func (k *link) receive(f wire.Frame) error {
	l := k.lane
	switch {
	case f.Kind == wire.KindAck && l.sequenced():
		return k.receiveAck(f)
	case f.Kind == wire.KindMembership && !l.sequenced():
		l.received.Add(1) // it is of use
		return l.node.receiveMembership(l.peer, f)
	case !f.Kind.Sequenced() || !l.sequenced():
		return fmt.Errorf("%w: %v on lane %v", wire.ErrKind, f.Kind, l)
	}
	size := wire.HeaderSize + len(f.Head) + len(f.Payload)
	if f.Kind == wire.KindPart {
		if f.Whole == nil {
			l.received.Add(1)
			k.unacked += size
			return nil
		}
		f = *f.Whole
	}
	if !large(len(f.Payload)) {
		k.small += size
	}
	heavy := len(f.Payload) >= worthYielding
	if heavy {
		k.settle() // the others first: who gets this is to be the last that is woken
	}
	err := k.dispatch(f)
	l.received.Add(1)
	k.unacked += size
	if heavy {
		// Who gets it is next in line on this processor, in whose cache it is. If it
		// was lent, the next one is then read into the same memory. What is due to the
		// other side goes first.
		k.settle()
		k.acknowledge()
		runtime.Gosched()
	}
	return err
}

// dispatch deals with a sequenced frame.
func (k *link) dispatch(f wire.Frame) error {
	l, n := k.lane, k.lane.node
	data := l.stream.kind == streamData
	switch {
	case f.Kind == wire.KindAgain && data:
		return k.receiveAgain(f)
	case f.Kind == wire.KindSignal && data:
		k.settle()
		return n.receiveSignal(l, f)
	case f.Kind == wire.KindControl && l.stream.kind == streamControl:
		return n.receiveControl(l.peer, f)
	case f.Kind == wire.KindAfter && data:
		return n.receiveAfter(l, f)
	case f.Kind == wire.KindThrottle && data:
		return n.receiveThrottle(l.peer, f)
	case f.Kind == wire.KindReceipt && data:
		return n.receiveReceipt(l.peer, f)
	case f.Kind == wire.KindVoid && data:
		return n.receiveVoid(l, f)
	case f.Kind == wire.KindVoid:
		return nil
	}
	return fmt.Errorf("%w: %v on lane %v", wire.ErrKind, f.Kind, l)
}

func (k *link) receiveAck(f wire.Frame) error {
	var m wire.Ack
	if err := m.Unmarshal(f.Head); err != nil {
		return err
	}
	l := k.lane
	l.stream.mu.Lock()
	full, way := l.out.full(), l.out.way
	ok := l.out.ack(m.Received, m.Come)
	l.pace.confirmed(time.Now(), l.out.come, way-l.out.way)
	l.confirmLocked()
	if l.out.window = l.windowLocked(); full && !l.out.full() {
		l.rouse()
	}
	l.stream.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: %d", errAck, m.Received)
	}
	for _, ref := range m.Known {
		if err := l.peer.words.confirm(ref); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until what arrives may be delivered. It reports false if that is
// not to be.
func (k *link) ready() bool {
	p := k.lane.peer
	if !k.lane.sequenced() {
		return true
	}
	if p.follow != nil && !k.wait(p.follow.gone) {
		return false
	}
	if p.cleared != nil && !k.wait(p.cleared) {
		return false
	}
	return k.lane.stream.kind == streamData || k.wait(p.up)
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
