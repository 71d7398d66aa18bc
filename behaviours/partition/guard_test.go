package partition_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/remote"
)

func strategy(s partition.Strategy) func(int, *partition.Config) {
	return func(_ int, cfg *partition.Config) { cfg.Strategy = s }
}

// deaths collects dead letters of a node.
func deaths(t *testing.T, node interface {
	Observe(f func(actor.Event)) (cancel func())
}) func() []actor.DeadLetter {
	var mu sync.Mutex
	var all []actor.DeadLetter
	t.Cleanup(node.Observe(func(ev actor.Event) {
		if d, ok := ev.(actor.DeadLetter); ok {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, d)
		}
	}))
	return func() []actor.DeadLetter {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func TestReadOnlyRefusesWritesOnBothSidesAndSaysWhy(t *testing.T) {
	play(t, 3, strategy(partition.ReadOnly), func(t *testing.T, s *stage) {
		s.mustAdd(0, "before")
		s.Partition([]int{0, 1}, []int{2})
		s.split(0, 2)
		s.split(1, 2)
		s.split(2, 0, 1)
		for i, sides := range [][2][]actor.NodeID{{s.ids(0, 1), s.ids(2)}, {s.ids(0, 1), s.ids(2)}, {s.ids(2), s.ids(0, 1)}} {
			_, err := s.add(i, "during")
			var refused *partition.RefusedError
			if !errors.Is(err, partition.ErrReadOnly) || !errors.As(err, &refused) {
				t.Fatalf("node %d: %v", i, err)
			}
			if refused.Strategy != partition.ReadOnly || !slices.Equal(refused.Here, sides[0]) || !slices.Equal(refused.Lost, sides[1]) {
				t.Errorf("node %d: %+v", i, refused)
			}
			if ev, ok := last[partition.Detected](&s.log, s.Node(i).Name()); !ok || !slices.Equal(ev.Here, sides[0]) || !slices.Equal(ev.Lost, sides[1]) {
				t.Errorf("node %d was told %+v", i, ev)
			}
		}
		if got := s.list(0); !slices.Equal(got, []string{"before"}) {
			t.Errorf("a read gives %v", got)
		}
		dead := deaths(t, s.Node(2))
		if err := s.Node(2).Send(notes, Add{"cast"}); err != nil {
			t.Error(err)
		}
		s.Settle()
		if d := dead(); len(d) != 1 || d[0].Message != (Add{"cast"}) || !errors.Is(d[0].Reason, partition.ErrReadOnly) {
			t.Errorf("dead letters %v", d)
		}
		s.Heal()
		s.parted(false, 0, 1, 2)
		s.mustAdd(2, "after")
		if ev, ok := last[partition.Healed](&s.log, s.Node(0).Name()); !ok || !slices.Equal(ev.Returned, s.ids(2)) {
			t.Errorf("healed: %+v", ev)
		}
	})
}

func TestRefusalIsRecognisedOnAnotherNode(t *testing.T) {
	play(t, 3, strategy(partition.ReadOnly), func(t *testing.T, s *stage) {
		s.Isolate(2)
		s.parted(true, 0, 1)
		at := actor.NameAt{Name: notes, Node: s.Node(1).Name()}
		_, err := actor.Call[int](t.Context(), s.Node(0), at, Add{"far"})
		if !errors.Is(err, partition.ErrReadOnly) || !strings.Contains(err.Error(), "2 of 3 nodes on this side") {
			t.Error(err)
		}
	})
}

func TestCrashAndLeaveAreNoPartitions(t *testing.T) {
	play(t, 4, strategy(partition.ReadOnly), func(t *testing.T, s *stage) {
		s.Kill(3) // its machine says that it does not run
		s.WaitMembers(3)
		s.Stop(2)
		s.WaitMembers(2)
		s.Settle()
		for i := range 2 {
			s.mustAdd(i, "on")
			if ev, found := last[partition.Detected](&s.log, s.Node(i).Name()); found {
				t.Errorf("node %d: %+v", i, ev)
			}
		}
	})
}

func TestRestartIsToldFromAPartitionByTheIncarnation(t *testing.T) {
	play(t, 3, strategy(partition.ReadOnly), func(t *testing.T, s *stage) {
		old := s.Node(2).Node()
		s.Isolate(2)
		s.parted(true, 0, 1)
		s.Restart(2)
		s.Heal()
		s.WaitMembers(3)
		s.parted(false, 0, 1)
		if ev, ok := last[partition.Healed](&s.log, s.Node(0).Name()); !ok || !slices.Equal(ev.Restarted, []actor.NodeID{old}) || len(ev.Returned) > 0 {
			t.Errorf("healed: %+v, want %v restarted", ev, old)
		}
	})
}

func TestSilentNodeIsForgottenOnlyWhenAsked(t *testing.T) {
	play(t, 3, strategy(partition.ReadOnly), func(t *testing.T, s *stage) {
		s.Isolate(2)
		s.parted(true, 0, 1)
		s.Pass(5 * time.Minute)
		if !s.status(0).Parted {
			t.Fatal("it was forgotten by itself")
		}
		if err := partition.Forget(t.Context(), s.Node(0), notes, s.Node(1).Name()); err != nil { // who is there
			t.Fatal(err)
		}
		if err := partition.Forget(t.Context(), s.Node(0), notes, s.Node(2).Name()); err != nil {
			t.Fatal(err)
		}
		s.mustAdd(0, "on")
		if st := s.status(0); st.Parted || st.Refuses != nil || !slices.Equal(st.Here, s.ids(0, 1)) {
			t.Errorf("%+v", st)
		}
		if _, err := s.add(1, "on"); !errors.Is(err, partition.ErrReadOnly) {
			t.Errorf("node 1 was not asked: %v", err)
		}
	})
}

func TestSilentNodeIsGivenUpAfterATime(t *testing.T) {
	edit := func(_ int, cfg *partition.Config) { cfg.Strategy, cfg.GiveUp = partition.ReadOnly, 2*time.Minute }
	play(t, 3, edit, func(t *testing.T, s *stage) {
		s.Isolate(2)
		s.parted(true, 0, 1)
		s.Pass(110 * time.Second)
		if !s.status(0).Parted {
			t.Error("too early")
		}
		s.Pass(20 * time.Second)
		s.mustAdd(0, "on")
		if ev, ok := last[partition.Healed](&s.log, s.Node(0).Name()); !ok || !slices.Equal(ev.Crashed, s.ids(2)) {
			t.Errorf("healed: %+v", ev)
		}
	})
}

func TestOnlyTheSideWithTheLeaderWrites(t *testing.T) {
	ballots := []*ballot{{}, {}, {}}
	edit := func(i int, cfg *partition.Config) { cfg.Strategy, cfg.Leader = partition.ElectLeader, ballots[i] }
	play(t, 3, edit, func(t *testing.T, s *stage) {
		leader := s.Node(2).Node()
		elect := func(leader actor.NodeID, nodes ...int) {
			for _, i := range nodes {
				ballots[i].elect(leader, leader == s.Node(i).Node())
			}
			s.Settle()
		}
		elect(leader, 0, 1, 2)
		s.mustAdd(0, "whole")
		if st := s.status(2); st.Leader != leader || st.Epoch != 1 || st.Index != 7 {
			t.Errorf("%+v", st)
		}
		s.Partition([]int{0, 1}, []int{2})
		s.parted(true, 0, 1, 2)
		// The majority still believes in the old leader, whose lease goes on.
		for i := range 2 {
			_, err := s.add(i, "orphan")
			var refused *partition.RefusedError
			if !errors.As(err, &refused) || !refused.Leader.IsZero() || !errors.Is(err, partition.ErrReadOnly) {
				t.Errorf("node %d: %v", i, err)
			}
		}
		s.mustAdd(2, "lease")
		elect(actor.NodeID{}, 2) // the lease ends
		if _, err := s.add(2, "alone"); !errors.Is(err, partition.ErrReadOnly) {
			t.Errorf("the minority writes: %v", err)
		}
		elect(s.Node(0).Node(), 0, 1)
		s.mustAdd(0, "new")
		s.mustAdd(1, "new")
		s.Heal()
		s.parted(false, 0, 1, 2)
		s.mustAdd(2, "again")
	})
}

func TestOnlyTheLeaderWritesIfSoConfigured(t *testing.T) {
	ballots := []*ballot{{}, {}}
	edit := func(i int, cfg *partition.Config) {
		cfg.Strategy, cfg.Leader, cfg.LeaderOnly = partition.ElectLeader, ballots[i], true
	}
	play(t, 2, edit, func(t *testing.T, s *stage) {
		for i := range 2 {
			if _, err := s.add(i, "x"); !errors.Is(err, partition.ErrReadOnly) {
				t.Errorf("node %d writes without a leader: %v", i, err)
			}
			ballots[i].elect(s.Node(0).Node(), i == 0)
		}
		s.Settle()
		s.mustAdd(0, "x")
		_, err := s.add(1, "x")
		var refused *partition.RefusedError
		if !errors.As(err, &refused) || refused.Leader != s.Node(0).Node() {
			t.Errorf("%v", err)
		}
	})
}

// told is a Cluster that counts who listens.
type told struct {
	mu        sync.Mutex
	listeners map[int]func(remote.MemberEvent)
	n         int
}

func (c *told) Subscribe(f func(remote.MemberEvent)) (cancel func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	n := c.n
	if c.listeners == nil {
		c.listeners = make(map[int]func(remote.MemberEvent))
	}
	c.listeners[n] = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.listeners, n)
	}
}

func (c *told) ObserveRemote(func(remote.Event)) (cancel func()) { return func() {} }

func (c *told) tell(ev remote.MemberEvent) int {
	c.mu.Lock()
	var all []func(remote.MemberEvent)
	for _, f := range c.listeners {
		all = append(all, f)
	}
	c.mu.Unlock()
	for _, f := range all {
		f(ev)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.listeners)
}

func TestGuardThatHasEndedIsToldNothing(t *testing.T) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(t.Context())
	b, c := new(ballot), new(told)
	up := remote.MemberEvent{Kind: remote.MemberUp, Node: actor.NodeID{Name: "x@h:1"}}
	spawn := func() actor.PID {
		pid, err := sys.Spawn(t.Context(), partition.New(partition.Config{
			Name: notes, Cluster: c, Classify: classify, Strategy: partition.ElectLeader, Leader: b,
		}, newBook()), notes)
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	pid := spawn()
	if n := c.tell(up); n != 1 {
		t.Errorf("%d listen", n)
	}
	end(t, sys, pid, actor.ErrShutdown)
	if n := c.tell(up); n != 0 || watched(b) {
		t.Errorf("%d listen after the end", n)
	}
	pid = spawn()
	end(t, sys, pid, actor.ErrKilled) // without Terminate
	before := sys.Stats().DeadLetters
	if n := c.tell(up); n != 0 {
		t.Errorf("%d listen after a kill", n)
	}
	if d := sys.Stats().DeadLetters; d != before {
		t.Errorf("%d dead letters, %d of them after the end", d, d-before)
	}
}

// end ends a process and waits for it.
func end(t *testing.T, sys *actor.System, pid actor.PID, reason error) {
	t.Helper()
	down := make(chan struct{})
	_, err := sys.Spawn(t.Context(), &mourner{pid, reason, down})
	if err != nil {
		t.Fatal(err)
	}
	<-down
}

type mourner struct {
	of     actor.PID
	reason error
	down   chan struct{}
}

func (m *mourner) Init(self *actor.Self) error {
	self.Monitor(m.of)
	return self.Exit(m.of, m.reason)
}

func (m *mourner) Receive(_ *actor.Self, msg any) error {
	if _, ok := msg.(actor.Down); ok {
		close(m.down)
		return actor.ErrNormal
	}
	return nil
}

func TestEveryMistakeOfAConfigIsReported(t *testing.T) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(t.Context())
	for want, g := range map[int]*partition.Guard{
		4: partition.New(partition.Config{}, nil),
		6: partition.New(partition.Config{Strategy: partition.ElectLeader, MaxOps: -1, GiveUp: -1}, newBook()),
		5: partition.New(partition.Config{Strategy: partition.MergeOnReconnect, LeaderOnly: true}, actor.Func(nil)),
	} {
		_, err := sys.Spawn(t.Context(), g)
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok || len(joined.Unwrap()) != want {
			t.Errorf("want %d mistakes: %v", want, err)
		}
	}
}
