package actor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// process is the kernel's side of a process: its mailbox, its state and what
// hangs on it. Users see it as [Self].
//
// The struct is laid out in three cache lines by who writes them, because a
// sender and the receiver usually run on different cores.
//
// Invariants:
//  1. phase only moves forward, except between idle and ready.
//  2. While phase is ready exactly one goroutine, or one entry of the run
//     queue, owns the receiver's line.
//  3. Whoever sets phase to dead, and nobody else, runs finalize.
//  4. A message is accepted only while phase is not dead; every accepted
//     message is handed to the actor, answered, or made a dead letter.
type process struct {
	// Read by everybody, rarely written.
	sys    *System
	actor  Actor // the receiver's; replaced by Become
	id     processID
	parent processID // the local process that spawned this one, or 0
	fence  atomic.Uint32
	shard  atomic.Uint32
	annex  atomic.Pointer[annex]
	born   int64 // unix nanoseconds

	// The senders' line.
	mu sync.Mutex
	mailbox

	// The receiver's line.
	hand    hand
	current callRef // the call being handled, if one is
}

// phase is where a process is in its life.
type phase uint8

const (
	phaseStarting phase = iota // Init is running on the spawner's goroutine
	phaseIdle                  // no mail, no goroutine
	phaseReady                 // in a run queue or running
	phaseExiting               // Terminate is running
	phaseDead                  // finalize runs or has run
)

func (p phase) String() string {
	return [...]string{"starting", "idle", "running", "exiting", "dead"}[p]
}

// Bits of process.fence, which the receiver looks at between two messages.
const (
	fenceExit   = 1 << iota // an exit signal waits in annex.exit
	fenceKilled             // killed: no more handlers, sends are dropped
	fenceTold               // dead, and its links and monitors have fired or will at once
)

// annex holds what most processes never need. It is made on first use.
type annex struct {
	// Guarded by process.mu.
	exit     error // the reason of the first untrapped exit signal
	trap     bool
	links    pidSet
	watchers map[watchKey]PID           // who monitors this process
	monitors map[MonitorRef]*monitoring // whom this process monitors
	names    []Name
	clusters []ClusterName
	aliases  []processID
	calls    custody // requests accepted and not yet answered
	bound    *bound
	timers   map[TimerRef]*ownedTimer
	grace    *time.Timer // runs from kill to zombie
	blocked  callRef     // the call the process is waiting for
	label    string
	abroad   bool       // may be in the system's peerTable
	caller   NodeHandle // the other node that has called last, which that table knows
	aborted  bool       // the start failed: nobody need be told of an exit
	life     *life
	idle     *idleTimer
	account  *account

	parentAbroad PID // the process on another node that asked for this one; never changes

	// The receiver's own.
	behaviours []Actor // what Become replaced, the latest last
	stash      stash
	trace      []byte       // of the message in hand, unless that is a call not kept
	loan       Loan         // of the message in hand, until it is retained
	deadline   time.Time    // of the call in hand, if its From is kept
	limited    *callContext // of the call in hand, if it was asked for
}

// ensureAnnex returns p's annex, making it if need be. It may be called by any
// goroutine, with or without p.mu.
func (p *process) ensureAnnex() *annex {
	if a := p.annex.Load(); a != nil {
		return a
	}
	p.annex.CompareAndSwap(nil, new(annex))
	return p.annex.Load()
}

func (p *process) pid() PID { return PID{node: p.sys.node, id: p.id} }

func (p *process) self() *Self { return (*Self)(p) }

// fenced reports whether p was killed: what it sends from now on is dropped.
func (p *process) fenced() bool { return p.fence.Load()&fenceKilled != 0 }

// told reports whether p is dead and everybody has been told. p.mu is held.
func (p *process) told() bool { return p.fence.Load()&fenceTold != 0 }

// deliver puts msg into p's mailbox and wakes p. User messages (exempt false)
// obey the mailbox's bound; signals and replies do not. from is the sending
// process, if any: its shard is where p will run next, its own mailbox it must
// not wait for.
func (p *process) deliver(msg any, from *process, exempt bool) error {
	p.mu.Lock()
	// The common case by itself: the receiver is awake, and there is room in
	// its last chunk, which a bounded mailbox does not have.
	if t := p.tail; t != nil && p.phase == phaseReady {
		if n := uint(t.n); n < chunkMessages {
			t.msgs[n] = msg
			t.n = int(n + 1)
			p.count++
			p.mu.Unlock()
			return nil
		}
	}
	if p.phase == phaseDead {
		p.mu.Unlock()
		return ErrNoProc
	}
	if p.mailbox.bounded && !exempt {
		return p.deliverBounded(context.Background(), msg, from) // unlocks
	}
	if p.mailbox.bounded {
		p.annex.Load().bound.push(msg, true)
	} else {
		p.mailbox.push(msg, p.sys)
	}
	p.wake(from) // unlocks
	return nil
}

// wake makes p run if it was idle. It is called with p.mu held and releases it.
func (p *process) wake(from *process) {
	if p.phase != phaseIdle {
		p.mu.Unlock()
		return
	}
	p.phase = phaseReady
	p.mu.Unlock()
	shard := &p.shard
	if from != nil {
		shard = &from.shard
	}
	p.sys.sched.push(p, shard.Load())
}
