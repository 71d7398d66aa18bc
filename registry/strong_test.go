package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/strong"
	"github.com/topos-go/topos/supervisor"
)

// vault gives out leases. It is one place that all nodes reach, or do not.
type vault struct {
	mu     sync.Mutex
	ttl    time.Duration // what nodes are told
	real   time.Duration // by the vault's clock, which may be faster
	index  uint64
	leases map[string]grant
	cut    map[actor.NodeID]bool
	delay  time.Duration // of every answer
}

type grant struct {
	token  Token
	holder actor.NodeID
	until  time.Time
}

func newVault(ttl time.Duration) *vault {
	return &vault{ttl: ttl, real: ttl, leases: make(map[string]grant), cut: make(map[actor.NodeID]bool)}
}

// key is one node's way to the vault.
type key struct {
	*vault
	node actor.NodeID
}

var errHeld = errors.New("held by another")

// reach waits as long as the way takes.
func (k key) reach(ctx context.Context) error {
	k.mu.Lock()
	cut, delay := k.cut[k.node], k.delay
	k.mu.Unlock()
	if cut {
		<-ctx.Done()
		return ctx.Err()
	}
	if delay == 0 {
		return nil
	}
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (k key) TTL() time.Duration { return k.ttl }

func (k key) Acquire(ctx context.Context, name string) (Token, error) {
	if err := k.reach(ctx); err != nil {
		return Token{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if g := k.leases[name]; time.Now().Before(g.until) {
		return Token{}, fmt.Errorf("%w: %v", errHeld, g.holder)
	}
	k.index++
	g := grant{Token{Epoch: 1, Index: k.index}, k.node, time.Now().Add(k.real)}
	k.leases[name] = g
	return g.token, nil
}

func (k key) Renew(ctx context.Context, name string, token Token) error {
	if err := k.reach(ctx); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	g := k.leases[name]
	if g.token != token || !time.Now().Before(g.until) {
		return errHeld
	}
	g.until = time.Now().Add(k.real)
	k.leases[name] = g
	return nil
}

func (k key) Release(ctx context.Context, name string, token Token) error {
	if err := k.reach(ctx); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.leases[name].token == token {
		delete(k.leases, name)
	}
	return nil
}

// cutOff keeps a node from the vault, or lets it there again.
func (v *vault) cutOff(node actor.NodeID, cut bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut[node] = cut
}

// overdue returns a child that runs somewhere without a valid lease.
func (v *vault) overdue(c *census, n int) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range n {
		id := citizenID(i)
		g := v.leases["placement/"+id]
		for _, node := range c.where(id) {
			if g.holder != node || !time.Now().Before(g.until) {
				return fmt.Sprintf("%s runs on %v without a valid lease", id, node)
			}
		}
	}
	return ""
}

func needsLease(c *Child) { c.Strong = true }

// strongWorld is three nodes with strong children.
func strongWorld(t *testing.T, v *vault, n int, d *diary) (*census, []*place, func(time.Duration)) {
	h, c := newHub(t), newCensus()
	var all []*place
	for i := range 3 {
		p := join(t, h, i+1)
		p.place(t, PlacementConfig{Leases: key{v, p.id}, Observe: d.observe(p.id)}, c.tills(n, needsLease)...)
		all = append(all, p)
	}
	return c, all, func(pass time.Duration) {
		for end := time.Now().Add(pass); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
			if wrong := v.overdue(c, n); wrong != "" {
				t.Fatal(wrong)
			}
		}
	}
}

func TestStrongChildRunsOnceWithTheTokenOfItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVault(2 * time.Second)
		c, all, watch := strongWorld(t, v, citizens, new(diary))
		watch(settled)
		c.wantOne(t, all...)
		watch(20 * time.Second)
		c.wantOne(t, all...)
		for _, tenure := range c.tenures {
			if g := v.leases["placement/"+tenure.Child]; g.token != tenure.Token || (tenure.Token == Token{}) {
				t.Errorf("%s has token %v, its lease %v", tenure.Child, tenure.Token, g.token)
			}
		}
		if n := c.starts(); n != citizens {
			t.Errorf("%d starts of %d children", n, citizens)
		}
	})
}

func TestStrongChildIsStoppedBeforeItsLeaseCanHaveExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, d := newVault(2*time.Second), new(diary)
		v.real = v.ttl * 96 / 100 // its clock is faster
		c, all, watch := strongWorld(t, v, citizens, d)
		watch(settled)
		// The node cannot reach the vault any more, but the other nodes.
		v.cutOff(all[0].id, true)
		watch(5 * time.Second)
		for i := range citizens {
			if slices.Contains(c.where(citizenID(i)), all[0].id) {
				t.Errorf("%s still runs on the node without leases", citizenID(i))
			}
		}
		if d.count("n1", "lease lost") == 0 {
			t.Errorf("nobody was told:\n%v", d)
		}
		v.cutOff(all[0].id, false)
		watch(10 * time.Second)
		c.wantOne(t, all...)
	})
}

// stubborn is a child whose Init takes its time, and whose handler ends when it
// is killed and not before.
type stubborn struct {
	till
	init time.Duration
}

func (s *stubborn) Init(self *actor.Self) error {
	self.TrapExit(true)
	select {
	case <-time.After(s.init):
	case <-self.Context().Done():
		return context.Cause(self.Context())
	}
	return s.till.Init(self)
}

func (s *stubborn) Receive(self *actor.Self, msg any) error {
	if _, ok := msg.(crash); ok {
		<-self.Context().Done()
		return nil
	}
	return s.till.Receive(self, msg)
}

func TestStrongChildWhoseInitOutlastsItsLeaseDoesNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, h, c := newVault(2*time.Second), newHub(t), newCensus()
		a := join(t, h, 1)
		a.place(t, PlacementConfig{Leases: key{v, a.id}}, Child{Strong: true, Spec: supervisor.ChildSpec{
			ID: citizenID(0),
			Start: actor.StartWith(func(args ...any) actor.Actor {
				return &stubborn{till: till{census: c, tenure: args[0].(Tenure)}, init: 3 * time.Second}
			}),
		}})
		time.Sleep(settled)
		v.cutOff(a.id, true) // no renewals
		for range 1000 {
			time.Sleep(10 * time.Millisecond)
			if wrong := v.overdue(c, 1); wrong != "" {
				t.Fatal(wrong)
			}
		}
		if n := c.starts(); n != 0 {
			t.Errorf("%d instances came to run", n)
		}
	})
}

func TestGateLetsNothingStandThatStartedWhileItWasClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := join(t, newHub(t), 1)
		var g *gate
		var born actor.PID
		g = &gate{sys: a.sys, start: func(parent *actor.Self, _ ...any) (pid actor.PID, err error) {
			born, err = parent.Spawn(actor.Func(func(*actor.Self, any) error { return nil }))
			g.close()
			return born, err
		}}
		g.tenure.Store(new(Tenure))
		_, err := a.sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, _ any) error {
			for range 2 { // the second time it is closed before
				if pid, err := g.pass(self); !errors.Is(err, ErrLeaseLost) || !errors.Is(err, actor.ErrIgnore) || !pid.IsZero() {
					t.Errorf("a closed gate lets %v pass: %v", pid, err)
				}
			}
			return nil
		}), actor.Name("parent"))
		if err != nil {
			t.Fatal(err)
		}
		_ = a.sys.Send(actor.Name("parent"), "go")
		synctest.Wait()
		if born.IsZero() || a.sys.Alive(born) {
			t.Error("what started while the gate was closed lives on")
		}
	})
}

func TestStrongChildThatDoesNotEndIsKilledInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, h := newVault(2*time.Second), newHub(t)
		a := join(t, h, 1)
		ends := make(map[actor.PID]time.Time)
		var mu sync.Mutex
		defer a.sys.Observe(func(e actor.Event) {
			if exit, ok := e.(actor.ProcessExited); ok {
				mu.Lock()
				defer mu.Unlock()
				ends[exit.PID] = time.Now()
			}
		})()
		c := newCensus()
		a.place(t, PlacementConfig{Leases: key{v, a.id}}, Child{Strong: true, Spec: supervisor.ChildSpec{
			ID: citizenID(0), Shutdown: supervisor.Infinity,
			Start: actor.StartWith(func(args ...any) actor.Actor {
				return &stubborn{till: till{census: c, tenure: args[0].(Tenure)}}
			}),
		}})
		time.Sleep(settled)
		pid, err := Locate(t.Context(), a.sys, citizenID(0))
		if err != nil {
			t.Fatal(err)
		}
		_ = a.sys.Send(pid, crash{})
		v.cutOff(a.id, true)
		time.Sleep(20 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if end, until := ends[pid], v.leases["placement/"+citizenID(0)].until; end.IsZero() || !end.Before(until) {
			t.Errorf("it ended at %v, its lease at %v", end, until)
		}
	})
}

func TestStrongChildFailsOverWhenTheLeaseOfTheDeadHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, h, c := newVault(2*time.Second), newHub(t), newCensus()
		var all []*place
		for i := range 3 {
			p := join(t, h, i+1)
			p.place(t, PlacementConfig{Leases: key{v, p.id}}, c.tills(citizens, needsLease)...)
			all = append(all, p)
		}
		time.Sleep(settled)
		h.Kill(all[0].id)
		v.cutOff(all[0].id, true)
		time.Sleep(v.ttl + settled)
		for i := range citizens {
			c.mu.Lock()
			delete(c.running[citizenID(i)], all[0].id) // as good as dead
			c.mu.Unlock()
		}
		c.wantOne(t, all[1:]...)
	})
}

func TestStrongChildrenNeverRunTwiceWhateverHappens(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			v, h, c := newVault(2*time.Second), newHub(t), newCensus()
			v.real = v.ttl * 97 / 100
			rnd := newRand(seed)
			h.Latency(time.Millisecond, 10*time.Millisecond, 50*time.Millisecond)
			h.Loss(0.05)
			var all []*place
			for i := range 3 {
				p := join(t, h, i+1)
				p.place(t, PlacementConfig{Leases: key{v, p.id}}, c.tills(citizens, needsLease)...)
				all = append(all, p)
			}
			for range 400 {
				p := all[rnd.IntN(len(all))]
				switch k := rnd.IntN(20); {
				case k == 0:
					v.cutOff(p.id, true)
				case k < 3:
					v.cutOff(p.id, false)
				case k == 3:
					isolate(h, p.id)
				case k < 6:
					h.Split(nil)
				case k == 6:
					v.mu.Lock()
					v.delay = time.Duration(rnd.IntN(1500)) * time.Millisecond
					v.mu.Unlock()
				}
				time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond)
				if wrong := v.overdue(c, citizens); wrong != "" {
					t.Fatalf("seed %d: %s", seed, wrong)
				}
			}
			h.Split(nil)
			h.Loss(0)
			v.mu.Lock()
			v.delay = 0
			clear(v.cut)
			v.mu.Unlock()
			time.Sleep(15 * time.Second)
			c.wantOne(t, all...)
		})
	}
}

func TestLeaseClockStopsBeforeItKillsAndKillsBeforeTheLeaseExpires(t *testing.T) {
	sent := time.Unix(100, 0)
	c := leaseClock{ttl: 10 * time.Second, drift: 0.1, sent: sent}
	if got := c.expiry(); got != sent.Add(9*time.Second) {
		t.Errorf("expiry %v", got)
	}
	if !c.stop().Before(c.kill()) || !c.kill().Before(c.expiry()) {
		t.Errorf("stop %v, kill %v, expiry %v", c.stop(), c.kill(), c.expiry())
	}
	if first := sent.Add(3 * c.renew()); !first.Before(c.stop()) {
		t.Errorf("three renewals would take until %v, and stop is %v", first, c.stop())
	}
	c.renewed(sent.Add(-time.Second)) // an older answer
	if got := c.expiry(); got != sent.Add(9*time.Second) {
		t.Errorf("an older renewal made the expiry %v", got)
	}
	c.renewed(sent.Add(time.Second))
	if got := c.expiry(); got != sent.Add(10*time.Second) {
		t.Errorf("a renewal made the expiry %v", got)
	}
}

func TestStrongChildWithoutLeasesWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a := join(t, h, 1)
		a.place(t, PlacementConfig{}, c.tills(1, needsLease)...)
		time.Sleep(time.Minute)
		if n := c.starts(); n != 0 {
			t.Errorf("%d starts without a lease", n)
		}
	})
}

func TestStrongChildIsKeptByLeasesOfTheRealRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, d := newHub(t), newCensus(), new(diary)
		h.Latency(time.Millisecond, time.Millisecond, 50*time.Millisecond)
		var all []*place
		var voters []string
		for i := range 3 {
			voters = append(voters, testNode(i+1).Name)
		}
		for i := range 3 {
			p := join(t, h, i+1)
			leases, err := strong.New(strong.Config{Cluster: p.end, Voters: voters, Bootstrap: true, TTL: 3 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if err := leases.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				_ = leases.Close(ctx) // without the others it cannot be orderly
			})
			p.place(t, PlacementConfig{Leases: leases, Observe: d.observe(p.id)}, c.tills(3, needsLease)...)
			all = append(all, p)
		}
		want := func(nodes ...*place) {
			t.Helper()
			var ids []actor.NodeID
			for _, n := range nodes {
				ids = append(ids, n.id)
			}
			for i := range 3 {
				if where := c.where(citizenID(i)); len(where) != 1 || where[0] != Owner(citizenID(i), ids) {
					t.Errorf("%s runs on %v:\n%v", citizenID(i), where, d)
				}
			}
		}
		time.Sleep(20 * time.Second)
		want(all...)
		isolate(h, all[0].id)
		for range 2000 {
			time.Sleep(10 * time.Millisecond)
			for i := range 3 {
				if where := c.where(citizenID(i)); len(where) > 1 {
					t.Fatalf("%s runs on %v", citizenID(i), where)
				}
			}
		}
		want(all[1:]...)
		h.Split(nil)
		time.Sleep(20 * time.Second)
		want(all...)
		for _, tenure := range c.tenures {
			if tenure.Token.IsZero() {
				t.Errorf("a tenure without a token: %+v", tenure)
			}
		}
	})
}
