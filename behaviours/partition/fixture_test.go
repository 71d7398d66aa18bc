package partition_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The messages of these tests.
type (
	Add  struct{ Text string }
	Bad  struct{} // an operation that is refused by the actor
	Bomb struct{} // a read that it does not survive
	List struct{}
)

const notes = actor.Name("notes")

var errBad = errors.New("bad")

// book is a Merger that keeps what it is told, and by whom.
type book struct{ Lines map[string][]string }

func newBook() actor.Actor { return &book{make(map[string][]string)} }

func (b *book) Apply(self *actor.Self, op partition.Operation) (any, error) {
	switch m := op.Message.(type) {
	case Add:
		key := fmt.Sprint(op.Origin)
		b.Lines[key] = append(b.Lines[key], fmt.Sprintf("%d %s", op.Seq, m.Text))
		return len(b.Lines[key]), nil
	case Bad:
		return nil, errBad
	}
	return nil, fmt.Errorf("unknown operation %T", op.Message)
}

func (b *book) Snapshot() ([]byte, error) { return json.Marshal(b) }

func (b *book) Restore(data []byte) error {
	b.Lines = make(map[string][]string)
	return json.Unmarshal(data, b)
}

// Receive takes Add as well, for the strategies that do not merge.
func (b *book) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Add:
		b.Lines["here"] = append(b.Lines["here"], m.Text)
		return self.Reply(len(b.Lines["here"]))
	case Bomb:
		panic("bomb")
	case List:
		var all []string
		for _, lines := range b.Lines {
			all = append(all, lines...)
		}
		slices.Sort(all)
		return self.Reply(all)
	}
	return nil
}

func classify(msg any) partition.Class {
	switch msg.(type) {
	case Add, Bad:
		return partition.Write
	}
	return partition.Read
}

// node is what these tests need of a *topos.Node.
type node interface {
	Watch(f func(node actor.NodeID, up bool)) (cancel func())
	ObserveRemote(f func(remote.Event)) (cancel func())
}

// member is a node as a Cluster: it tells why a member is gone as far as its
// connections know.
type member struct{ node }

func (m member) Subscribe(f func(remote.MemberEvent)) (cancel func()) {
	var mu sync.Mutex
	reasons := make(map[actor.NodeID]error)
	stop := m.ObserveRemote(func(ev remote.Event) {
		if lost, ok := ev.(remote.NodeLost); ok {
			mu.Lock()
			defer mu.Unlock()
			reasons[lost.Node] = lost.Reason
		}
	})
	end := m.Watch(func(node actor.NodeID, up bool) {
		if up {
			f(remote.MemberEvent{Kind: remote.MemberUp, Node: node})
			return
		}
		mu.Lock()
		reason := reasons[node]
		mu.Unlock()
		f(remote.MemberEvent{Kind: remote.MemberDown, Node: node, Reason: reason})
	})
	return func() { end(); stop() }
}

// log collects what guards tell, by node.
type log struct {
	mu     sync.Mutex
	events map[string][]partition.Event
}

func (l *log) at(node string) func(partition.Event) {
	return func(ev partition.Event) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.events == nil {
			l.events = make(map[string][]partition.Event)
		}
		l.events[node] = append(l.events[node], ev)
	}
}

// last returns the last event of a type.
func last[E partition.Event](l *log, node string) (found E, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ev := range l.events[node] {
		if e, is := ev.(E); is {
			found, ok = e, true
		}
	}
	return found, ok
}

// configure sets a field of every node's topos.Config, a type that tests of this
// layer cannot name.
func configure(field string, value any) clustertest.Option {
	with := reflect.ValueOf(clustertest.WithConfig)
	set := reflect.MakeFunc(with.Type().In(0), func(args []reflect.Value) []reflect.Value {
		args[2].Elem().FieldByName(field).Set(reflect.ValueOf(value))
		return nil
	})
	return with.Call([]reflect.Value{set})[0].Interface().(clustertest.Option)
}

// stage is a cluster with a guard on every node.
type stage struct {
	*clustertest.Cluster
	t    *testing.T
	log  log
	edit func(i int, cfg *partition.Config)
}

// play runs f with n nodes and a supervised guard on each.
func play(t *testing.T, n int, edit func(i int, cfg *partition.Config), f func(t *testing.T, s *stage), opts ...clustertest.Option) {
	t.Helper()
	opts = append(opts,
		clustertest.Types(append(partition.WireTypes(), Add{}, Bad{}, Bomb{}, List{})...),
		configure("Errors", []error{partition.ErrReadOnly, partition.ErrLogFull}))
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		s := &stage{Cluster: c, t: t, edit: edit}
		for i := range n {
			s.guard(i, newBook)
		}
		c.Settle()
		f(t, s)
	}, opts...)
}

func (s *stage) config(i int) partition.Config {
	node := s.Node(i)
	cfg := partition.Config{
		Name: notes, Cluster: member{node}, Classify: classify,
		Types: codec.Types(Add{}, Bad{}), Observe: s.log.at(node.Name()),
	}
	if s.edit != nil {
		s.edit(i, &cfg)
	}
	return cfg
}

// guard starts the guard of node i.
func (s *stage) guard(i int, newInner func() actor.Actor) {
	s.t.Helper()
	_, err := s.Node(i).Supervise(s.t.Context(), supervisor.Spec{Children: []supervisor.ChildSpec{{
		ID: "guard", Start: partition.Start(s.config(i), newInner),
	}}})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) add(i int, text string) (int, error) {
	return actor.Call[int](s.t.Context(), s.Node(i), notes, Add{text})
}

func (s *stage) mustAdd(i int, text string) {
	s.t.Helper()
	if _, err := s.add(i, text); err != nil {
		s.t.Fatalf("node %d: %v", i, err)
	}
}

func (s *stage) list(i int) []string {
	s.t.Helper()
	lines, err := actor.Call[[]string](s.t.Context(), s.Node(i), notes, List{})
	if err != nil {
		s.t.Fatalf("node %d: %v", i, err)
	}
	return lines
}

// everywhere waits until all nodes that run have these lines.
func (s *stage) everywhere(lines ...string) {
	s.t.Helper()
	slices.Sort(lines)
	s.Eventually(time.Minute, func() bool {
		for i := range s.Size() {
			if slices.Contains(s.Nodes(), s.Node(i)) && !slices.Equal(s.list(i), lines) {
				return false
			}
		}
		return true
	})
}

func (s *stage) status(i int) partition.Status {
	s.t.Helper()
	st, err := partition.GetStatus(s.t.Context(), s.Node(i), notes)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// parted waits until the guards of these nodes have found a partition, or none.
func (s *stage) parted(is bool, nodes ...int) {
	s.t.Helper()
	s.Eventually(time.Minute, func() bool {
		return !slices.ContainsFunc(nodes, func(i int) bool { return s.status(i).Parted != is })
	})
}

// split waits until node i has lost exactly the others.
func (s *stage) split(i int, others ...int) {
	s.t.Helper()
	s.Eventually(time.Minute, func() bool { return slices.Equal(s.status(i).Lost, s.ids(others...)) })
}

func (s *stage) ids(nodes ...int) (ids []actor.NodeID) {
	for _, i := range nodes {
		ids = append(ids, s.Node(i).Node())
	}
	return ids
}

// ballot is an election whose outcome the test decides, one for each node.
type ballot struct {
	mu      sync.Mutex
	leader  actor.NodeID
	holds   bool
	watcher func(actor.NodeID)
}

func (b *ballot) IsLeader() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.holds
}

func (b *ballot) Token() (epoch, index uint64, ok bool) { return 1, 7, b.IsLeader() }

func (b *ballot) Watch(f func(actor.NodeID)) (cancel func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watcher = f
	f(b.leader)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.watcher = nil
	}
}

func (b *ballot) elect(leader actor.NodeID, holds bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leader, b.holds = leader, holds
	if b.watcher != nil {
		b.watcher(leader)
	}
}

func watched(b *ballot) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.watcher != nil
}
