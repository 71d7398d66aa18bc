package actor

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// scheduler runs processes that have mail on a few long-lived goroutines, the
// workers. A worker blocked in a handler never keeps other processes waiting,
// and no clock watches over that. Instead one rule holds:
//
//	Invariant (succession): while a run queue holds a process, there is a
//	worker that is awake and will look at the queues before it enters user
//	code. It is called the successor.
//
// Whoever queues a process makes sure of a successor. The successor, when the
// Go scheduler gives it a thread, stops being it, takes a process and, if
// there is more, appoints the next one. So when a handler blocks, the Go
// scheduler itself runs the successor in its place. While handlers are short
// and cores are busy the successor just stays runnable, and a process costs
// two queue operations and no goroutine switch.
type scheduler struct {
	shards []shard

	_         [64]byte
	successor atomic.Bool // a successor exists
	_         [63]byte

	active atomic.Int32 // workers that are not parked
	procs  int32

	mu     sync.Mutex // guards the rest
	parked []*worker
	next   uint32      // the shard of the next new worker
	closed atomic.Bool // written with mu held
	wg     sync.WaitGroup
}

const (
	// maxShards bounds how many queues a worker without work looks through.
	maxShards = 16
	// maxParked bounds the idle workers kept: enough for every core and for
	// handlers that block now and then; more are started when needed.
	maxParked = 64
	// stint is how many processes a surplus worker runs before it retires, so
	// that retiring and replacing it costs little per process.
	stint = 64
	// lookAround is how often a worker looks at another queue before its own.
	// A prime, so as not to fall into step with the load.
	lookAround = 61
)

// shard is one run queue: a ring under a lock. Workers prefer their own.
type shard struct {
	mu   sync.Mutex
	ring []*process
	head int
	n    int
	some atomic.Bool // n > 0, readable without the lock
	_    [72]byte
}

type worker struct {
	s     *scheduler
	wake  chan struct{}
	shard uint32
	finds uint32 // calls of find, to look around now and then
}

func (s *scheduler) init() {
	s.procs = int32(runtime.GOMAXPROCS(0))
	s.shards = make([]shard, min(int(s.procs), maxShards))
}

// push queues p, which must be in phaseReady and in no queue.
func (s *scheduler) push(p *process, shard uint32) {
	s.shards[shard%uint32(len(s.shards))].push(p)
	s.ensureSuccessor()
}

func (s *scheduler) ensureSuccessor() {
	if s.successor.Load() || !s.successor.CompareAndSwap(false, true) {
		return
	}
	s.active.Add(1)
	s.mu.Lock()
	if s.closed.Load() { // only zombies are left, which their workers look after
		s.mu.Unlock()
		s.active.Add(-1)
		return
	}
	if n := len(s.parked); n > 0 {
		w := s.parked[n-1]
		s.parked[n-1] = nil
		s.parked = s.parked[:n-1]
		s.mu.Unlock()
		w.wake <- struct{}{} // has room: a parked worker's channel is empty
		return
	}
	w := &worker{s: s, wake: make(chan struct{}, 1), shard: s.next % uint32(len(s.shards))}
	s.next++
	s.wg.Add(1)
	s.mu.Unlock()
	go w.run()
}

// run is a worker's life.
func (w *worker) run() {
	defer w.ended()
	for {
		// This worker was the successor; from here on it is a plain worker.
		w.s.successor.Store(false)
		p := w.find()
		if p != nil && w.s.any() { // somebody must follow
			w.s.ensureSuccessor()
		}
		for turns := 1; p != nil; turns++ {
			w.turn(p)
			if turns >= stint && w.s.active.Load() > w.s.procs+1 && w.s.successor.Load() {
				break // surplus: the successor takes over
			}
			p = w.find()
		}
		if !w.park() {
			return
		}
	}
}

// turn runs p for a while. If it has more to do it is queued again.
func (w *worker) turn(p *process) {
	if p.shard.Load() != w.shard {
		p.shard.Store(w.shard)
	}
	if p.run() {
		w.s.push(p, w.shard)
	}
}

// ended is the end of a worker's goroutine: it retired, the system closed, or
// a handler called runtime.Goexit. In the last case process.run has already
// ended the process, and the succession rule looks after the queues.
func (w *worker) ended() {
	w.s.active.Add(-1)
	w.s.wg.Done()
}

// find takes a process from the worker's own queue or, failing that, from
// another. Now and then it begins with another, so that a queue that happens to
// be nobody's own is not forgotten while the others are busy.
func (w *worker) find() *process {
	shards := w.s.shards
	first := w.shard
	if w.finds++; w.finds%lookAround == 0 {
		first = w.finds / lookAround
	}
	for i := range uint32(len(shards)) {
		s := &shards[(first+i)%uint32(len(shards))]
		if s.some.Load() {
			if p := s.pop(); p != nil {
				return p
			}
		}
	}
	return nil
}

func (s *scheduler) any() bool {
	for i := range s.shards {
		if s.shards[i].some.Load() {
			return true
		}
	}
	return false
}

// park waits until the worker is made successor again. It reports false if the
// worker is to end instead.
func (w *worker) park() bool {
	s := w.s
	s.mu.Lock()
	if s.closed.Load() || len(s.parked) >= maxParked {
		s.mu.Unlock()
		return false
	}
	s.parked = append(s.parked, w)
	s.mu.Unlock()
	s.active.Add(-1)
	<-w.wake
	closed := s.closed.Load()
	if closed {
		s.active.Add(1) // ended takes it back
	}
	return !closed
}

// close ends the parked workers; the others end when they have nothing left to
// do. It must only be called when no process is left but zombies.
func (s *scheduler) close() {
	s.mu.Lock()
	s.closed.Store(true)
	for _, w := range s.parked {
		w.wake <- struct{}{}
	}
	s.parked = nil
	s.mu.Unlock()
}

func (s *shard) push(p *process) {
	s.mu.Lock()
	if s.n == len(s.ring) {
		grown := make([]*process, max(16, 2*s.n))
		for i := range s.n {
			grown[i] = s.ring[(s.head+i)%s.n]
		}
		s.ring, s.head = grown, 0
	}
	s.ring[(s.head+s.n)&(len(s.ring)-1)] = p
	s.n++
	if s.n == 1 {
		s.some.Store(true)
	}
	s.mu.Unlock()
}

func (s *shard) pop() *process {
	s.mu.Lock()
	if s.n == 0 {
		s.mu.Unlock()
		return nil
	}
	p := s.ring[s.head]
	s.ring[s.head] = nil
	s.head = (s.head + 1) & (len(s.ring) - 1)
	s.n--
	if s.n == 0 {
		s.some.Store(false)
	}
	s.mu.Unlock()
	return p
}
