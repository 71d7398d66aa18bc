package strong

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func TestALeaseHasOneOwnerUntilItRunsOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 20, 3, 3, Config{TTL: 3 * time.Second}).startAll()
		defer w.close()
		ctx := wait(t)
		a, b := w.regs[0], w.regs[1]
		token, err := a.Acquire(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		var held *HeldError
		if _, err := b.Acquire(ctx, "x"); !errors.As(err, &held) || held.Owner != (Owner{"x", a.self, token}) {
			t.Fatalf("acquiring what is held: %v", err)
		}
		if _, err := a.Acquire(ctx, "x"); !errors.Is(err, ErrHeld) {
			t.Fatalf("acquiring what one holds: %v", err)
		}
		var renewed time.Time
		for range 5 { // longer than it lasts
			pass(2 * time.Second)
			renewed = time.Now()
			if err := a.Renew(ctx, "x", token); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Acquire(ctx, "x"); !errors.Is(err, ErrHeld) {
				t.Fatalf("acquiring what is renewed: %v", err)
			}
		}
		var next Token
		for {
			if next, err = b.Acquire(ctx, "x"); err == nil {
				break
			} else if !errors.Is(err, ErrHeld) {
				t.Fatal(err)
			}
			pass(10 * time.Millisecond)
		}
		if took := time.Since(renewed); took < w.base.TTL || took > w.base.TTL+time.Second {
			t.Errorf("it was free after %v", took)
		}
		if !token.Less(next) {
			t.Errorf("token %v after %v", next, token)
		}
		for _, err := range []error{a.Renew(ctx, "x", token), a.Release(ctx, "x", token), a.Renew(ctx, "never", token)} {
			if !errors.Is(err, ErrLost) {
				t.Errorf("using a lost lease: %v", err)
			}
		}
		if err := b.Release(ctx, "x", next); err != nil {
			t.Error(err)
		}
		if _, err := a.OwnerLinearizable(ctx, "x"); !errors.Is(err, ErrAbsent) {
			t.Errorf("the owner of what is free: %v", err)
		}
		if third, err := a.Acquire(ctx, "x"); err != nil || !next.Less(third) {
			t.Errorf("%v, %v", third, err)
		}
	})
}

func TestALeaseOutlivesTheLeaderThatGrantedIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 21, 4, 3, Config{TTL: 4 * time.Second}).startAll()
		defer w.close()
		ctx := wait(t)
		token, err := w.regs[3].Acquire(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		acquired := time.Now()
		w.kill(w.leader())
		i := w.leader()
		elected := time.Now()
		for {
			_, err := w.regs[i].Acquire(ctx, "x")
			if err == nil {
				break
			} else if !errors.Is(err, ErrHeld) {
				t.Fatal(err)
			}
			pass(10 * time.Millisecond)
		}
		// The new leader does not know when the old one saw it, and waits for the
		// whole time again.
		if took := time.Since(elected); took < w.base.TTL-100*time.Millisecond || took > w.base.TTL+time.Second {
			t.Errorf("it was free %v after the election, %v after it was acquired", took, time.Since(acquired))
		}
		if err := w.regs[3].Renew(ctx, "x", token); !errors.Is(err, ErrLost) {
			t.Errorf("%v", err)
		}
	})
}

func TestWhoWaitsForANameGetsItSoonAfterItsRelease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 22, 4, 3, Config{TTL: time.Minute}).startAll()
		defer w.close()
		ctx := wait(t)
		first, err := w.regs[3].Hold(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan *Hold)
		go func() {
			h, err := w.regs[1].Hold(ctx, "x")
			if err != nil {
				t.Error(err)
			}
			got <- h
		}()
		pass(3 * time.Second)
		if !first.Valid() {
			t.Error("it did not last")
		}
		released := time.Now()
		if err := first.Release(ctx); err != nil {
			t.Fatal(err)
		}
		second := <-got
		if took := time.Since(released); took > 100*time.Millisecond {
			t.Errorf("the next one got it after %v", took)
		}
		if first.Valid() || !second.Valid() || !first.Token().Less(second.Token()) || second.Name() != "x" {
			t.Errorf("%v %v, %v %v", first.Valid(), first.Token(), second.Valid(), second.Token())
		}
		select {
		case <-first.Done():
		default:
			t.Error("a released hold is not done")
		}
		if err := first.Release(ctx); err != nil {
			t.Errorf("releasing again: %v", err)
		}
		if err := second.Release(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestAHoldThatCannotBeRenewedEndsBeforeAnybodyElseGetsTheName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 23, 5, 3, Config{TTL: 3 * time.Second, Standbys: 1}).startAll()
		defer w.close()
		ctx := wait(t)
		first, err := w.regs[4].Hold(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		w.net.partition(w.names[4])
		second, err := w.regs[3].Hold(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-first.Done():
		default:
			t.Error("the first one still believes in it")
		}
		if first.Valid() {
			t.Error("both are valid")
		}
		w.net.heal()
		pass(5 * time.Second)
		if !second.Valid() {
			t.Error("the second one lost it")
		}
	})
}

// skewed gives node i a clock that runs at rate and shows something else.
func skewed(rate float64, ahead time.Duration) func(*Config) {
	return func(c *Config) { c.clock = clock{start: time.Now(), rate: rate, ahead: ahead} }
}

// believers counts, for each name, the holds that are valid now.
type believers struct {
	mu    sync.Mutex
	holds map[*Hold]bool
	most  int
	seen  map[Token]string // who had a token
	last  map[string]Token // the highest token returned by a Hold that has ended its call
}

func (b *believers) add(t *testing.T, who string, h *Hold, above Token) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if other, twice := b.seen[h.Token()]; twice {
		t.Errorf("%s and %s both own %q with token %v", other, who, h.Name(), h.Token())
	}
	if !above.Less(h.Token()) {
		t.Errorf("%s owns %q with token %v after %v was given out", who, h.Name(), h.Token(), above)
	}
	b.seen[h.Token()] = who
	if b.last[h.Name()].Less(h.Token()) {
		b.last[h.Name()] = h.Token()
	}
	b.holds[h] = true
}

func (b *believers) check(t *testing.T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	valid := make(map[string]int)
	for h := range b.holds {
		if h.Valid() {
			valid[h.Name()]++
		}
	}
	for name, n := range valid {
		if n > 1 {
			t.Errorf("%d owners of %q at once", n, name)
		}
		b.most = max(b.most, n)
	}
}

func (b *believers) highest(name string) Token {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last[name]
}

// compete lets a node acquire names, keep them for a while and give them up, or
// forget to.
func (w *world) compete(ctx context.Context, i int, r *Registry, b *believers, rnd *rand.Rand) {
	for ctx.Err() == nil {
		name := fmt.Sprint("name ", rnd.IntN(2))
		above := b.highest(name)
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		h, err := r.Hold(short, name)
		cancel()
		if err != nil {
			if errors.Is(err, ErrClosed) {
				return
			}
			continue
		}
		b.add(w.t, w.names[i], h, above)
		select {
		case <-h.Done():
		case <-time.After(time.Duration(1+rnd.IntN(6000)) * time.Millisecond):
		case <-ctx.Done():
		}
		if rnd.IntN(2) == 0 {
			short, cancel := context.WithTimeout(ctx, time.Second)
			_ = h.Release(short)
			cancel()
		} else {
			h.end() // and leaves the lease to run out
		}
	}
}

func TestThereAreNeverTwoOwnersWhileClocksDifferWithinTheBound(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) { neverTwoOwners(t, seed) })
		})
	}
}

func neverTwoOwners(t *testing.T, seed uint64) {
	const drift = 0.2
	rnd := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, 30+seed, 5, 3, Config{TTL: 2 * time.Second, MaxDrift: drift, Standbys: 2, ReplaceAfter: 5 * time.Second})
	defer w.close()
	begin := func(i int) *Registry {
		rate := 1 - drift + 2*drift*rnd.Float64()
		if rnd.IntN(2) == 0 { // the worst that is allowed
			rate = 1 - drift + 2*drift*float64(rnd.IntN(2))
		}
		return w.start(i, skewed(rate, time.Duration(rnd.IntN(1000))*time.Hour))
	}
	b := &believers{holds: make(map[*Hold]bool), seen: make(map[Token]string), last: make(map[string]Token)}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	for i := range w.regs {
		r := begin(i)
		seed := rnd.Uint64()
		work.Go(func() { w.compete(ctx, i, r, b, rand.New(rand.NewPCG(seed, 1))) })
	}
	w.awaitVoter(0)
	for range 15 {
		switch i := rnd.IntN(5); rnd.IntN(4) {
		case 0:
			w.net.partition(w.names[i])
		case 1:
			w.net.partition(w.names[w.leaderOr(i)])
		case 2:
			w.kill(i)
			r := begin(i)
			seed := rnd.Uint64()
			work.Go(func() { w.compete(ctx, i, r, b, rand.New(rand.NewPCG(seed, 1))) })
			w.awaitVoter(i)
		case 3:
			w.net.heal()
		}
		for range 300 {
			pass(10 * time.Millisecond)
			b.check(t)
		}
		if rnd.IntN(2) == 0 {
			w.net.heal()
		}
	}
	cancel()
	w.net.heal()
	work.Wait()
	if len(b.seen) < 10 || b.most == 0 {
		t.Errorf("only %d acquisitions", len(b.seen))
	}
}

// leaderOr returns who leads, or i.
func (w *world) leaderOr(i int) int {
	for j, r := range w.regs {
		if r.replica.leader.ready() != 0 {
			return j
		}
	}
	return i
}

// awaitVoter waits until a node in memory that was started again votes, so that
// the next loss is not one too many: with partitions healed.
func (w *world) awaitVoter(int) {
	w.net.heal()
	w.eventually("all live voters are there", func() bool {
		voters, _ := w.voters()
		live := 0
		for _, r := range w.regs {
			if voters[string(r.replica.id)] {
				live++
			}
		}
		return live == 3
	})
}

// What clocks beyond the bound break is what tokens are for.
func TestTokensProtectFromAnOwnerWhoseClockIsBeyondTheBound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 24, 4, 3, Config{TTL: 2 * time.Second})
		defer w.close()
		for i := range 3 {
			w.start(i)
		}
		slow := w.start(3, skewed(0.1, 0))
		ctx := wait(t)
		var store Fence
		first, err := slow.Hold(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Check("x", first.Token()); err != nil {
			t.Fatal(err)
		}
		second, err := w.regs[0].Hold(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		if !first.Valid() || !second.Valid() {
			t.Fatalf("the test is wrong: %v, %v", first.Valid(), second.Valid())
		}
		if err := store.Check("x", second.Token()); err != nil {
			t.Fatal(err)
		}
		if err := store.Check("x", first.Token()); !errors.Is(err, ErrFenced) {
			t.Errorf("the store took from both: %v", err)
		}
	})
}
