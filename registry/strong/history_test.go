package strong

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// operation is what a client did.
type operation struct {
	op     op // opRegister, opUnregister, opAcquire, opRelease; zero is a lookup, opExpire one of an owner
	name   string
	holder int // who is to have it
	cond   condKind
	of     int   // of condValue
	token  Token // of condToken and opRelease
}

// what is what came of it.
type what struct {
	unknown bool // nothing is known: it may have been done, or not
	met     bool // the condition was met, or there was somebody
	holder  int  // who has it; zero for nobody
	token   Token
}

// slot is the model's state of one name: who has it and with which token. The
// token of a change whose outcome nobody was told is hidden, but above min,
// until somebody sees it.
type slot struct {
	holder int
	token  Token
	hidden bool
	min    Token
}

// seen says whether somebody may have seen holder with token, and what is known
// afterwards.
func (s slot) seen(holder int, token Token) (bool, slot) {
	if s.hidden && holder == s.holder {
		return s.min.Less(token), slot{holder: holder, token: token}
	}
	return holder == s.holder && token == s.token, s
}

// model is what the registry promises of one name, in a few lines. Leases do not
// run out in it: those of the histories last longer.
func model() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byName := make(map[string][]porcupine.Operation)
			for _, o := range history {
				in := o.Input.(operation)
				kind := "name "
				if in.op == opAcquire || in.op == opRelease || in.op == opExpire {
					kind = "lease "
				}
				byName[kind+in.name] = append(byName[kind+in.name], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range byName {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return slot{} },
		Step: func(state, input, output any) (bool, any) {
			return step(state.(slot), input.(operation), output.(what))
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
}

func step(s slot, in operation, out what) (bool, slot) {
	met := s.holder == 0
	switch {
	case in.op == 0 || in.op == opExpire:
		return s.seen(out.holder, out.token)
	case in.op == opRelease || in.cond == condToken:
		met = s.holder != 0 && !s.hidden && s.token == in.token
	case in.op != opAcquire && in.cond == condValue:
		met = s.holder == in.of
	}
	switch {
	case !met && out.unknown:
		return true, s
	case !met && in.op == opRelease:
		return !out.met, s
	case !met:
		ok, next := s.seen(out.holder, out.token)
		return ok && !out.met, next
	}
	above := s.token
	if s.hidden {
		above = s.min
	}
	switch {
	case in.op == opUnregister || in.op == opRelease:
		return out.unknown || out.met, slot{}
	case out.unknown:
		return true, slot{holder: in.holder, hidden: true, min: above}
	}
	return out.met && out.holder == in.holder && above.Less(out.token), slot{holder: in.holder, token: out.token}
}

// recorder notes what clients did, in the order in which it began and ended.
type recorder struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (r *recorder) note(client int, call int64, in operation, out what) {
	ended := r.clock.Add(1)
	if out.unknown {
		if in.op == 0 || in.op == opExpire {
			return // a lookup that failed says nothing
		}
		ended = math.MaxInt64
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ended})
}

// history runs clients on all nodes while faults happen, and returns what the
// clients saw.
type history struct {
	*world
	recorder
	mu    sync.Mutex // of regs
	ids   atomic.Uint64
	known sync.Map // name -> Token that somebody saw last
}

func (h *history) get(i int) *Registry {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.regs[i]
}

// restart kills a node and starts it again after a while.
func (h *history) restart(i int, down time.Duration) {
	h.mu.Lock()
	r := h.regs[i]
	h.regs[i] = nil
	h.mu.Unlock()
	if r == nil {
		return
	}
	h.net.kill(h.names[i])
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		h.t.Error(err)
	}
	pass(down)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.start(i)
}

// act is one operation of a client on node i.
func (h *history) act(client, i int, rnd *rand.Rand) {
	r := h.get(i)
	if r == nil {
		pass(100 * time.Millisecond)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(200+rnd.IntN(3000))*time.Millisecond)
	defer cancel()
	id := h.ids.Add(1)
	in := operation{name: fmt.Sprint("n", rnd.IntN(3)), holder: int(id), cond: condKind(rnd.IntN(int(condKinds)))}
	if token, ok := h.known.Load("name " + in.name); ok {
		in.token = token.(Token)
	}
	if in.cond == condValue {
		in.of = int(1 + rnd.Uint64N(id))
	}
	cond := map[condKind]Condition{
		condFree: IfFree(), condValue: IfHeldBy(h.process(0, uint64(max(in.of, 1)))), condToken: IfToken(in.token),
	}[in.cond]
	call := h.clock.Add(1)
	var e Entry
	var err error
	switch rnd.IntN(7) {
	case 0, 1:
		in.op = opRegister
		e, err = r.Register(ctx, in.name, h.process(0, id), cond)
	case 2:
		in.op = opUnregister
		err = r.Unregister(ctx, in.name, cond)
	case 3, 4:
		e, err = r.LookupLinearizable(ctx, in.name)
	default:
		h.actOnLease(ctx, client, i, r, rnd, in.name, call)
		return
	}
	var conflict *ConflictError
	out := what{met: true, holder: number(e), token: e.Token}
	switch {
	case errors.As(err, &conflict):
		out = what{holder: number(conflict.Entry), token: conflict.Entry.Token}
	case errors.Is(err, ErrAbsent):
		out = what{}
	case err != nil:
		out = what{unknown: true}
	}
	if !out.token.IsZero() {
		h.known.Store("name "+in.name, out.token)
	}
	h.note(client, call, in, out)
}

func (h *history) actOnLease(ctx context.Context, client, i int, r *Registry, rnd *rand.Rand, name string, call int64) {
	in := operation{name: name, holder: i + 1}
	var o Owner
	var err error
	switch rnd.IntN(3) {
	case 0:
		in.op = opAcquire
		if o.Token, err = r.Acquire(ctx, name); err == nil {
			o.Node.Name = h.names[i]
		}
	case 1:
		in.op = opRelease
		if token, ok := h.known.Load("lease " + name); ok {
			in.token = token.(Token)
		}
		err = r.Release(ctx, name, in.token)
	default:
		in.op = opExpire
		o, err = r.OwnerLinearizable(ctx, name)
	}
	var held *HeldError
	out := what{met: true, holder: h.index(o.Node.Name), token: o.Token}
	switch {
	case errors.As(err, &held):
		out = what{holder: h.index(held.Owner.Node.Name), token: held.Owner.Token}
	case errors.Is(err, ErrAbsent), errors.Is(err, ErrLost):
		out = what{}
	case err != nil:
		out = what{unknown: true}
	}
	if !out.token.IsZero() {
		h.known.Store("lease "+name, out.token)
	}
	h.note(client, call, in, out)
}

// number is that of an entry's holder.
func number(e Entry) int { return int(e.Holder.ID() & (1<<28 - 1)) }

func (h *history) index(name string) int { return slices.Index(h.names, name) + 1 }

// faults does one thing to the network or the nodes.
func (h *history) fault(rnd *rand.Rand) {
	i := rnd.IntN(len(h.names))
	switch rnd.IntN(5) {
	case 0:
		h.net.partition(h.names[i])
	case 1: // two against three
		h.net.partition(h.names[i], h.names[(i+1)%len(h.names)])
	case 2:
		h.net.part(h.names[i], h.names[(i+1)%len(h.names)])
	case 3:
		h.restart(i, time.Duration(rnd.IntN(2000))*time.Millisecond)
	default:
		h.net.heal()
	}
}

// record lets clients and faults happen for a while.
func record(t *testing.T, seed uint64, disk bool, rounds int) []porcupine.Operation {
	rnd := rand.New(rand.NewPCG(seed, 3))
	h := &history{world: newWorld(t, seed, 5, 3, Config{TTL: time.Hour, ReplaceAfter: 4 * time.Second, SnapshotEvery: 40})}
	defer h.close()
	if disk {
		h.onDisk()
	}
	for i := range h.regs {
		h.start(i, skewed(0.2+2*rnd.Float64(), 0)) // of no importance but for leases
	}
	h.leader()
	stop := make(chan struct{})
	var work sync.WaitGroup
	for client := range 2 * len(h.names) {
		own := rand.New(rand.NewPCG(seed, uint64(client)))
		work.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(1+own.IntN(200)) * time.Millisecond):
				}
				h.act(client, client%len(h.names), own)
			}
		})
	}
	for range rounds {
		pass(time.Duration(rnd.IntN(1500)) * time.Millisecond)
		if disk {
			h.fault(rnd)
			continue
		}
		// In memory, voters are lost for good; one at a time.
		h.fault(rnd)
		pass(time.Second)
		h.net.heal()
		h.settle()
	}
	h.net.heal()
	pass(2 * time.Second)
	close(stop)
	work.Wait()
	return h.ops
}

// settle waits until as many as should be vote.
func (h *history) settle() {
	h.eventually("three live nodes vote", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		voters, _ := h.voters()
		live := 0
		for _, r := range h.regs {
			if r != nil && voters[string(r.replica.id)] {
				live++
			}
		}
		return live == 3
	})
}

func checkHistory(t *testing.T, ops []porcupine.Operation) {
	t.Helper()
	done := 0
	for _, o := range ops {
		if out := o.Output.(what); !out.unknown {
			done++
		}
	}
	t.Logf("%d operations, of which %d are known to have ended", len(ops), done)
	if done < 100 {
		t.Errorf("that is too few")
	}
	if result := porcupine.CheckOperationsTimeout(model(), ops, 60*time.Second); result != porcupine.Ok {
		t.Errorf("the history is %s as one of a single copy", result)
	}
}

func TestHistoriesUnderPartitionsAndRestartsAreLinearizable(t *testing.T) {
	for seed := range uint64(5) {
		disk := seed == 0 // which takes its time
		t.Run(fmt.Sprint("seed ", seed, ", disk ", disk), func(t *testing.T) {
			var ops []porcupine.Operation
			bubble(t, func(t *testing.T) { ops = record(t, seed, disk, 12) })
			checkHistory(t, ops)
		})
	}
}

// The check must be able to fail.
func TestTheModelRefusesHistoriesThatNoSingleCopyHas(t *testing.T) {
	one, two := Token{1, 1}, Token{1, 2}
	at := func(call, end int64, in operation, out what) porcupine.Operation {
		in.name = "x"
		return porcupine.Operation{Input: in, Output: out, Call: call, Return: end}
	}
	register := func(call, end int64, holder int, token Token) porcupine.Operation {
		return at(call, end, operation{op: opRegister, holder: holder}, what{met: true, holder: holder, token: token})
	}
	for name, ops := range map[string][]porcupine.Operation{
		"two get a free name":       {register(1, 2, 1, one), register(3, 4, 2, two)},
		"a stale read":              {register(1, 2, 1, one), at(3, 4, operation{}, what{})},
		"a token falls":             {register(1, 2, 1, two), at(3, 4, operation{op: opRegister, holder: 2, cond: condToken, token: two}, what{met: true, holder: 2, token: one})},
		"done although it was lost": {register(1, 2, 1, one), at(3, 4, operation{op: opUnregister}, what{met: true})},
	} {
		if porcupine.CheckOperations(model(), ops) {
			t.Errorf("%s: accepted", name)
		}
	}
	unknown := at(1, math.MaxInt64, operation{op: opRegister, holder: 1}, what{unknown: true})
	for name, last := range map[string]what{"nobody": {}, "who nobody was told of": {met: true, holder: 1, token: one}} {
		if !porcupine.CheckOperations(model(), []porcupine.Operation{unknown, at(3, 4, operation{}, last)}) {
			t.Errorf("after an unknown registration %s holds it: refused", name)
		}
	}
}
