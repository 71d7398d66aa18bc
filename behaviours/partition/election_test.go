package partition_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/registry/strong"
)

// strongly lets n nodes have a registry in memory, in which all vote.
func strongly(n int) clustertest.Option {
	cfg := &strong.Config{Bootstrap: true, TTL: 15 * time.Second}
	for _, name := range []string{"n0", "n1", "n2", "n3", "n4"}[:n] {
		cfg.Voters = append(cfg.Voters, name+"@"+name+":4000")
	}
	return configure("Strong", cfg)
}

// campaign runs f with n nodes whose guards let the elected side write.
func campaign(t *testing.T, n int, only bool, f func(t *testing.T, s *stage, elections []*partition.Election)) {
	elections := make([]*partition.Election, n)
	edit := func(i int, cfg *partition.Config) {
		node := cfg.Cluster.(member).node.(interface{ Strong() *strong.Registry })
		e, err := partition.StrongLeader(node.Strong(), "orders")
		if err != nil {
			t.Error(err)
			return
		}
		elections[i] = e
		cfg.Strategy, cfg.Leader, cfg.LeaderOnly = partition.ElectLeader, e, only
	}
	play(t, n, edit, func(t *testing.T, s *stage) {
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			for i, e := range elections {
				if err := e.Close(ctx); err != nil {
					t.Errorf("closing the election of node %d: %v", i, err)
				}
			}
		}()
		s.Eventually(time.Minute, func() bool { return len(leaders(elections)) == 1 })
		f(t, s, elections)
	}, strongly(n))
}

// leaders are the nodes that believe to lead.
func leaders(elections []*partition.Election) (found []int) {
	for i, e := range elections {
		if e.IsLeader() {
			found = append(found, i)
		}
	}
	return found
}

// writers are the nodes that take a write; the others must refuse it properly.
func writers(s *stage) (found []int) {
	s.t.Helper()
	for i := range s.Size() {
		switch _, err := s.add(i, "x"); {
		case err == nil:
			found = append(found, i)
		case !errors.Is(err, partition.ErrReadOnly):
			s.t.Fatalf("node %d: %v", i, err)
		}
	}
	return found
}

func token(t *testing.T, e *partition.Election) strong.Token {
	t.Helper()
	epoch, index, ok := e.Token()
	if !ok {
		t.Fatal("the leader has no token")
	}
	return strong.Token{Epoch: epoch, Index: index}
}

func TestMajorityElectsAnotherLeaderAndTheMinorityIsReadOnly(t *testing.T) {
	campaign(t, 5, false, func(t *testing.T, s *stage, elections []*partition.Election) {
		old := leaders(elections)[0]
		before := token(t, elections[old])
		// The leader and one more are cut off.
		few := []int{old, (old + 1) % 5}
		many := []int{(old + 2) % 5, (old + 3) % 5, (old + 4) % 5}
		slices.Sort(few)
		slices.Sort(many)
		s.Partition(few, many)
		for i := range 5 { // until then they go on
			if slices.Contains(few, i) {
				s.split(i, many...)
			} else {
				s.split(i, few...)
			}
		}

		began := time.Now()
		alone := 0 // how often the old side wrote on
		for {
			who := writers(s)
			if slices.Equal(who, many) {
				break
			}
			switch {
			case slices.Contains(who, many[0]) && slices.ContainsFunc(few, func(i int) bool { return slices.Contains(who, i) }):
				t.Fatalf("both sides write: %v of %v and %v", who, few, many)
			case slices.Contains(who, old):
				alone++
			case time.Since(began) > time.Minute:
				t.Fatalf("only %v write", who)
			}
			if l := leaders(elections); len(l) > 1 {
				t.Fatalf("%v lead", l)
			}
			s.Pass(100 * time.Millisecond)
		}
		if alone == 0 {
			t.Error("the old leader gave up before its lease had ended")
		}
		for _, i := range few {
			_, err := s.add(i, "late")
			var refused *partition.RefusedError
			if !errors.As(err, &refused) || !errors.Is(err, partition.ErrReadOnly) || !refused.Leader.IsZero() {
				t.Errorf("node %d of the minority: %v", i, err)
			}
		}
		now := leaders(elections)
		if len(now) != 1 || !slices.Contains(many, now[0]) {
			t.Fatalf("%v lead", now)
		}
		if after := token(t, elections[now[0]]); !before.Less(after) {
			t.Errorf("token %v after %v", after, before)
		}
		if _, _, ok := elections[old].Token(); ok {
			t.Error("the old leader still has a token")
		}

		s.Heal()
		s.parted(false, 0, 1, 2, 3, 4)
		leader := s.Node(now[0]).Node()
		s.Eventually(time.Minute, func() bool { return s.status(old).Leader == leader })
		if who := writers(s); len(who) != 5 {
			t.Errorf("after healing only %v write", who)
		}
	})
}

func TestClosedElectionHandsOverWithinAMoment(t *testing.T) {
	campaign(t, 3, true, func(t *testing.T, s *stage, elections []*partition.Election) {
		s.Pass(5 * time.Second)
		old := leaders(elections)[0]
		before := token(t, elections[old])
		if who := writers(s); !slices.Equal(who, []int{old}) {
			t.Errorf("%v write, and %d leads", who, old)
		}
		if err := elections[old].Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if elections[old].IsLeader() {
			t.Error("it leads after it was closed")
		}
		s.Eventually(time.Second, func() bool { return len(leaders(elections)) == 1 })
		next := leaders(elections)[0]
		if after := token(t, elections[next]); next == old || !before.Less(after) {
			t.Errorf("node %d has token %v after %d with %v", next, after, old, before)
		}
		if who := writers(s); !slices.Equal(who, []int{next}) {
			t.Errorf("%v write, and %d leads", who, next)
		}
	})
}

func TestWatchersHearOfLeadersInOrderUntilTheyCancel(t *testing.T) {
	campaign(t, 3, true, func(t *testing.T, s *stage, elections []*partition.Election) {
		s.Pass(5 * time.Second)
		old := leaders(elections)[0]
		other := (old + 1) % 3
		var mu sync.Mutex
		var heard []actor.NodeID
		once := 0
		note := func(leader actor.NodeID) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, leader)
		}
		cancel := elections[other].Watch(note)
		defer cancel()
		var stop func()
		stop = elections[other].Watch(func(actor.NodeID) {
			if once++; once == 2 {
				stop() // from within
			}
		})
		s.Part(other, old)
		s.Part(other, 3-old-other)
		s.Pass(30 * time.Second) // cut off: it knows nobody
		s.Heal()
		s.WaitMembers(3)
		s.Pass(10 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		leader := s.Node(old).Node()
		if !slices.Equal(heard, []actor.NodeID{leader, {}, leader}) {
			t.Errorf("heard of %v", heard)
		}
		if once != 2 {
			t.Errorf("a watcher that has cancelled was told %d times", once)
		}
	})
}

func TestElectionEndsWithItsRegistryAndSaysWhy(t *testing.T) {
	if _, err := partition.StrongLeader(nil, ""); err == nil {
		t.Error("an election without registry and name")
	}
	campaign(t, 1, false, func(t *testing.T, s *stage, elections []*partition.Election) {
		long, err := partition.StrongLeader(s.Node(0).Strong(), string(make([]byte, 1<<20)))
		if err != nil {
			t.Fatal(err)
		}
		s.Eventually(time.Second, func() bool { return errors.Is(long.Err(), strong.ErrLimit) })
		if err := s.Node(0).Strong().Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Pass(time.Second)
		e := elections[0]
		if _, _, ok := e.Token(); ok || e.IsLeader() || !errors.Is(e.Err(), strong.ErrClosed) {
			t.Errorf("it goes on without a registry: %v", e.Err())
		}
		var group sync.WaitGroup // closing at the same time is closing once
		for range 3 {
			group.Go(func() {
				if err := errors.Join(e.Close(t.Context()), long.Close(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}
