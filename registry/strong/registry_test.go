package strong

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// bubble runs f in virtual time, with a world that it makes.
func bubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

func TestARegisteredNameIsSeenByEveryLinearizableLookup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5, 3, Config{Standbys: 1}).startAll()
		defer w.close()
		ctx := wait(t)
		for i, r := range w.regs {
			pid := w.process(i, 7)
			e, err := r.Register(ctx, "name", pid, IfFree())
			if i > 0 {
				var conflict *ConflictError
				if !errors.As(err, &conflict) || conflict.Entry.Holder != w.process(i-1, 7) {
					t.Fatalf("registering a held name: %v, %v", e, err)
				}
				if e, err = r.Register(ctx, "name", pid, IfHeldBy(w.process(i-1, 7))); err != nil {
					t.Fatal(err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			for j, other := range w.regs {
				got, err := other.LookupLinearizable(ctx, "name")
				if err != nil || got != e || got.Holder != pid {
					t.Fatalf("node %d looked up %v, %v instead of %v", j, got, err, e)
				}
			}
		}
		pass(time.Second)
	})
}

// leader returns the node that leads, once one does and the others know.
func (w *world) leader() int {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		for i, r := range w.regs {
			if r != nil && r.replica != nil && r.replica.leader.stands(r.replica.leader.ready()) {
				return i
			}
		}
		pass(20 * time.Millisecond)
	}
	w.t.Fatal("nobody leads")
	return -1
}

// voters returns how many vote, and how many only have the data, as the leader
// sees it.
func (w *world) voters() (voters, standbys map[string]bool) {
	w.t.Helper()
	voters, standbys = make(map[string]bool), make(map[string]bool)
	r := w.regs[w.leader()]
	for _, s := range r.replica.raft.GetConfiguration().Configuration().Servers {
		if s.Suffrage == raft.Voter {
			voters[string(s.ID)] = true
		} else {
			standbys[string(s.ID)] = true
		}
	}
	return voters, standbys
}

// eventually waits for something.
func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for !is() {
		if time.Now().After(deadline) {
			w.t.Fatalf("it never happened: %s", what)
		}
		pass(20 * time.Millisecond)
	}
}

func TestRequestsGoOnWhenTheLeaderIsKilled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 2, 4, 3, Config{Standbys: 1}).startAll()
		defer w.close()
		ctx := wait(t)
		client := w.regs[3]
		e, err := client.Register(ctx, "name", w.process(3, 1), IfFree())
		if err != nil {
			t.Fatal(err)
		}
		w.kill(w.leader())
		began := time.Now()
		got, err := client.LookupLinearizable(ctx, "name")
		if err != nil || got != e {
			t.Fatalf("%v, %v", got, err)
		}
		if took := time.Since(began); took > 10*w.base.Election {
			t.Errorf("it took %v until somebody else led", took)
		}
		next, err := client.Register(ctx, "name", w.process(3, 2), IfToken(e.Token))
		if err != nil || !e.Token.Less(next.Token) {
			t.Fatalf("%v, %v after %v", next, err, e)
		}
	})
}

func TestANodeInMemoryThatIsStartedAgainComesBackWithoutAVote(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 3, 3, 3, Config{ReplaceAfter: 30 * time.Second}).startAll()
		defer w.close()
		ctx := wait(t)
		if _, err := w.regs[0].Register(ctx, "name", w.process(0, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		i := (w.leader() + 1) % 3
		before := w.regs[i].replica.id
		w.kill(i)
		w.start(i)
		after := w.regs[i].replica.id
		if before == after {
			t.Fatalf("the same server %s", after)
		}
		var wasStandby bool
		w.eventually("the new one votes in the place of the old one", func() bool {
			voters, standbys := w.voters()
			wasStandby = wasStandby || standbys[string(after)]
			return voters[string(after)] && !voters[string(before)] && len(voters) == 3
		})
		if !wasStandby {
			t.Error("it got a vote at once")
		}
		w.eventually("it has the data", func() bool {
			e, err := w.regs[i].LookupStale("name")
			return err == nil && e.Holder == w.process(0, 1)
		})
	})
}

func TestALostVoterIsReplacedByAStandbyAfterADelay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 4, 5, 3, Config{Standbys: 1, ReplaceAfter: 20 * time.Second}).startAll()
		defer w.close()
		w.eventually("there is a standby", func() bool { _, standbys := w.voters(); return len(standbys) == 1 })
		i := (w.leader() + 1) % 3
		gone := string(w.regs[i].replica.id)
		w.kill(i)
		killed := time.Now()
		for time.Since(killed) < 15*time.Second {
			if voters, _ := w.voters(); !voters[gone] || len(voters) != 3 {
				t.Fatalf("voters are %v after %v", voters, time.Since(killed))
			}
			pass(100 * time.Millisecond)
		}
		w.eventually("a standby votes instead", func() bool {
			voters, standbys := w.voters()
			if len(voters) > 3 || len(voters) < 2 {
				t.Fatalf("%d voters", len(voters))
			}
			return len(voters) == 3 && !voters[gone] && len(standbys) == 1
		})
		// Now another one may be lost.
		w.kill(w.leader())
		if _, err := w.regs[4].Register(wait(t), "name", w.process(4, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNodesWithFoldersComeBackAsTheyWere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 5, 3, 3, Config{}).onDisk().startAll()
		defer w.close()
		ctx := wait(t)
		e, err := w.regs[1].Register(ctx, "name", w.process(1, 1), IfFree())
		if err != nil {
			t.Fatal(err)
		}
		if e.Token.Epoch != 1 {
			t.Errorf("the first epoch is %d", e.Token.Epoch)
		}
		token, err := w.regs[1].Acquire(ctx, "lease")
		if err != nil {
			t.Fatal(err)
		}
		before, _ := w.voters()
		for i := range w.regs {
			w.kill(i)
		}
		w.startAll()
		got, err := w.regs[2].LookupLinearizable(ctx, "name")
		if err != nil || got != e {
			t.Fatalf("%v, %v instead of %v", got, err, e)
		}
		if after, _ := w.voters(); !maps.Equal(before, after) {
			t.Errorf("voters were %v and are %v", before, after)
		}
		if o, err := w.regs[0].OwnerLinearizable(ctx, "lease"); err != nil || o.Token != token {
			t.Errorf("the lease is %v, %v", o, err)
		}
		next, err := w.regs[1].Register(ctx, "name", w.process(1, 2), IfToken(e.Token))
		if err != nil || !e.Token.Less(next.Token) {
			t.Errorf("%v, %v after %v", next, err, e)
		}
	})
}

func TestAClientAsksTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 6, 4, 3, Config{})
		defer w.close()
		for i := range 3 {
			w.start(i)
		}
		w.start(3, func(c *Config) { c.Client, c.Bootstrap = true, false })
		ctx := wait(t)
		e, err := w.regs[3].Register(ctx, "name", w.process(3, 1), IfFree())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.regs[3].LookupLinearizable(ctx, "name"); err != nil || got != e {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := w.regs[3].LookupStale("name"); !errors.Is(err, ErrNoReplica) {
			t.Errorf("a stale read without data: %v", err)
		}
		if voters, standbys := w.voters(); len(voters) != 3 || len(standbys) != 0 {
			t.Errorf("voters %v, standbys %v", voters, standbys)
		}
		if err := w.regs[3].Unregister(ctx, "name", IfHeldBy(w.process(2, 1))); !errors.Is(err, ErrConflict) {
			t.Errorf("unregistering somebody else: %v", err)
		}
		if err := w.regs[3].Unregister(ctx, "name", IfToken(e.Token)); err != nil {
			t.Error(err)
		}
		if _, err := w.regs[3].LookupLinearizable(ctx, "name"); !errors.Is(err, ErrAbsent) {
			t.Errorf("after unregistering: %v", err)
		}
	})
}

func TestALeaderInAMinorityAnswersNoLinearizableRead(t *testing.T) {
	for seed := range uint64(5) {
		bubble(t, func(t *testing.T) {
			// Two standbys are on the old leader's side: they must not count.
			w := newWorld(t, 10+seed, 5, 3, Config{Standbys: 2}).startAll()
			defer w.close()
			ctx := wait(t)
			w.eventually("there are standbys", func() bool { _, s := w.voters(); return len(s) == 2 })
			e, err := w.regs[0].Register(ctx, "name", w.process(0, 1), IfFree())
			if err != nil {
				t.Fatal(err)
			}
			old := w.leader()
			w.net.partition(w.names[old], w.names[3], w.names[4])
			var written atomic.Bool
			var work sync.WaitGroup
			work.Go(func() {
				if _, err := w.regs[(old+1)%3].Register(ctx, "name", w.process(1, 2), IfToken(e.Token)); err != nil {
					t.Error(err)
				}
				written.Store(true)
			})
			// Not even before there is a new leader: nobody with a vote has
			// confirmed the old one since.
			until := time.Now().Add(3 * time.Second)
			for time.Now().Before(until) {
				short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
				got, err := w.regs[old].LookupLinearizable(short, "name")
				cancel()
				if err == nil {
					t.Fatalf("it answered %v, written anew: %v", got, written.Load())
				}
			}
			work.Wait()
			w.net.heal()
			if got, err := w.regs[old].LookupLinearizable(ctx, "name"); err != nil || got.Holder != w.process(1, 2) {
				t.Errorf("after healing: %v, %v", got, err)
			}
		})
	}
}

func TestACommandWhoseAnswerIsLostIsCarriedOutOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 7, 4, 3, Config{Standbys: 1}).startAll()
		defer w.close()
		ctx := wait(t)
		if _, err := w.regs[3].Register(ctx, "warm", w.process(3, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		to := w.regs[3].self
		lost := 0
		w.net.mu.Lock()
		w.net.drop = func(_, node actor.NodeID, f frame) bool {
			if node == to && f.kind == kindAnswer && lost < 2 {
				if res, err := decodeResult(f.body); err == nil && res.value != "" {
					lost++
					return true
				}
			}
			return false
		}
		w.net.mu.Unlock()
		var before uint64
		w.regs[w.leader()].replica.fsm.view(func(m *machine) { before = m.count })
		e, err := w.regs[3].Register(ctx, "name", w.process(3, 1), IfFree())
		if err != nil {
			t.Fatalf("a command that was sent again: %v", err)
		}
		if lost != 2 || e.Token.Index != before+1 {
			t.Errorf("%d answers were lost, token %v after %d commands", lost, e.Token, before)
		}
		if got, err := w.regs[0].LookupLinearizable(ctx, "name"); err != nil || got != e {
			t.Errorf("%v, %v instead of %v", got, err, e)
		}
	})
}
