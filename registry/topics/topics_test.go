package topics_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/registry/internal/rig"
	"github.com/topos-go/topos/registry/topics"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// News is what is published.
type News struct{ N int }

// node is one with topics.
type node struct {
	*rig.Node
	*topics.Topics
	t *testing.T
}

// start starts nodes that have met.
func start(t *testing.T, names ...string) (*memory.Network, []*node) {
	t.Helper()
	net := memory.New(memory.Config{Seed: 1})
	var nodes []*node
	for _, name := range names {
		n := &node{t: t}
		var g *groups.Groups
		n.Node = rig.Start(t, net, rig.Config{Name: name, Join: names, Types: codec.Types(News{}), Ready: func(r *rig.Node) {
			var err error
			if g, err = groups.Start(t.Context(), groups.Config{System: r.System, Cluster: r.Cluster()}); err != nil {
				t.Fatal(err)
			}
			if n.Topics, err = topics.Start(t.Context(), topics.Config{System: r.System, Groups: g}); err != nil {
				t.Fatal(err)
			}
		}})
		nodes = append(nodes, n)
		t.Cleanup(func() {
			n.Topics.Close()
			g.Close()
		})
	}
	for _, n := range nodes {
		for len(n.Remote.Members()) < len(nodes) {
			<-time.After(10 * time.Millisecond)
		}
	}
	synctest.Wait()
	return net, nodes
}

// reader is a process that remembers what it receives.
type reader struct {
	mu  sync.Mutex
	got []int
}

func (r *reader) Receive(_ *actor.Self, msg any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, msg.(News).N)
	return nil
}

func (r *reader) read() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// read starts a reader of topic.
func (n *node) read(topic string) (actor.PID, *reader) {
	n.t.Helper()
	r := new(reader)
	pid, err := n.Spawn(n.t.Context(), r)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.Subscribe(n.t.Context(), topic, pid); err != nil {
		n.t.Fatal(err)
	}
	return pid, r
}

// publish publishes and checks to how many nodes.
func (n *node) publish(topic string, number, want int, opts ...actor.SendOption) {
	n.t.Helper()
	if got, err := n.Publish(n.System, topic, News{number}, opts...); got != want || err != nil {
		n.t.Errorf("published to %d nodes, want %d: %v", got, want, err)
	}
}

func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestEachSubscriberOfEachNodeHearsWhatIsPublishedOnceAndInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, nodes := start(t, "a", "b", "c")
		var readers []*reader
		for _, n := range nodes[:2] {
			for range 5 {
				_, r := n.read("news")
				readers = append(readers, r)
			}
		}
		_, other := nodes[2].read("weather")
		synctest.Wait()
		var want []int
		before := nodes[2].Remote.Stats()
		for i := range 200 {
			nodes[2].publish("news", i, 2)
			want = append(want, i)
		}
		time.Sleep(time.Second)
		for i, r := range readers {
			if got := r.read(); !slices.Equal(got, want) {
				t.Errorf("reader %d got %v", i, got)
			}
		}
		if got := other.read(); len(got) != 0 {
			t.Errorf("a reader of another topic got %v", got)
		}
		if sent := nodes[2].Remote.Stats().Sent - before.Sent; sent != 400 {
			t.Errorf("%d messages were sent for 200 to 2 nodes with 5 subscribers each", sent)
		}
	})
}

func TestLocalSubscribersShareTheMessageItself(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, nodes := start(t, "a")
		var mu sync.Mutex
		got := make(map[*News]int)
		for range 3 {
			pid, err := nodes[0].Spawn(t.Context(), actor.Func(func(_ *actor.Self, msg any) error {
				mu.Lock()
				defer mu.Unlock()
				got[msg.(*News)]++
				return nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			if err := nodes[0].Subscribe(t.Context(), "news", pid); err != nil {
				t.Fatal(err)
			}
		}
		msg := &News{1}
		if _, err := nodes[0].Publish(nodes[0].System, "news", msg); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got[msg] != 3 {
			t.Errorf("the subscribers got %v", got)
		}
	})
}

func TestSubscriptionEndsWithItsProcessOrWhenItIsTakenBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, nodes := start(t, "a", "b")
		a, b := nodes[0], nodes[1]
		one, _ := b.read("news")
		two, second := b.read("news")
		if err := b.Subscribe(t.Context(), "news", two); err != nil {
			t.Fatal(err) // a second time is none
		}
		synctest.Wait()
		a.publish("news", 1, 1)
		synctest.Wait()
		if err := b.Unsubscribe(t.Context(), "news", two); err != nil {
			t.Fatal(err)
		}
		a.publish("news", 2, 1)
		synctest.Wait()
		if got := second.read(); !slices.Equal(got, []int{1}) {
			t.Errorf("it got %v", got)
		}
		_ = b.Kill(one)
		synctest.Wait()
		a.publish("news", 3, 0)
		if got := a.Which(); len(got) != 0 {
			t.Errorf("topics %v are left", got)
		}
		_, third := b.read("news")
		synctest.Wait()
		a.publish("news", 4, 1)
		synctest.Wait()
		if got := third.read(); !slices.Equal(got, []int{4}) {
			t.Errorf("a later reader got %v", got)
		}
	})
}

func TestPartOfTheClusterHearsWhatIsPublishedThereAndAckedOnesArriveAfterwards(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		net, nodes := start(t, "a", "b", "c")
		a, b, c := nodes[0], nodes[1], nodes[2]
		_, atB := b.read("news")
		_, atC := c.read("news")
		synctest.Wait()
		net.Partition("a", "c")
		net.Partition("b", "c")
		a.publish("news", 1, 2, actor.Ack()) // c has not been missed yet
		time.Sleep(20 * time.Second)
		a.publish("news", 2, 1, actor.Ack()) // now it has
		time.Sleep(time.Second)
		if got := atB.read(); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("on the same side: %v", got)
		}
		net.Heal("a", "c")
		net.Heal("b", "c")
		time.Sleep(20 * time.Second)
		if got := atC.read(); !slices.Equal(got, []int{1}) {
			t.Errorf("beyond the partition: %v, want what was sent before it was noticed", got)
		}
		a.publish("news", 3, 2)
		time.Sleep(time.Second)
		if got := atC.read(); !slices.Equal(got, []int{1, 3}) {
			t.Errorf("after healing: %v", got)
		}
	})
}

func TestDeskAndRelaysThatAreKilledAreReplaced(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, nodes := start(t, "a", "b")
		a, b := nodes[0], nodes[1]
		_, r := b.read("news")
		for i, label := range []string{"relay of news", "topics' desk", "relay of news"} {
			for pid := range b.Processes() {
				if info, _ := b.Info(pid); info.Label == label {
					_ = b.Kill(pid)
				}
			}
			synctest.Wait()
			a.publish("news", i, 1)
			synctest.Wait()
		}
		if got := r.read(); !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("the reader got %v", got)
		}
	})
}

func TestMistakesOfPublishersAndSubscribersAreReported(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, nodes := start(t, "a", "b")
		pid, _ := nodes[0].read("news")
		for _, topic := range []string{"", strings.Repeat("x", topics.MaxName+1)} {
			_, err := nodes[0].Publish(nodes[0].System, topic, News{})
			if !errors.Is(err, topics.ErrInvalidTopic) {
				t.Errorf("Publish = %v", err)
			}
			if err := nodes[0].Subscribe(t.Context(), topic, pid); !errors.Is(err, topics.ErrInvalidTopic) {
				t.Errorf("Subscribe = %v", err)
			}
		}
		if err := nodes[1].Subscribe(t.Context(), "news", pid); !errors.Is(err, topics.ErrNotLocal) {
			t.Errorf("Subscribe of another node's process = %v", err)
		}
		if _, err := nodes[0].Publish(nodes[0].System, "news", nil); !errors.Is(err, actor.ErrNilMessage) {
			t.Errorf("Publish of nothing = %v", err)
		}
		if _, err := topics.Start(t.Context(), topics.Config{}); err == nil || strings.Count(err.Error(), "topics:") != 2 {
			t.Errorf("Start of nothing = %v", err)
		}
		dead, _ := nodes[0].read("other")
		_ = nodes[0].Kill(dead)
		synctest.Wait()
		if err := nodes[0].Subscribe(t.Context(), "dead", dead); err != nil {
			t.Errorf("Subscribe of one that has ended = %v", err)
		}
		synctest.Wait()
		if got := nodes[0].Subscribers("dead"); len(got) != 0 {
			t.Errorf("the dead subscribe: %v", got)
		}
	})
}

func BenchmarkPublishToTenLocalSubscribers(b *testing.B) {
	ctx := context.Background()
	net := memory.New(memory.Config{})
	var t *topics.Topics
	n := rig.Start(b, net, rig.Config{Name: "a", Ready: func(r *rig.Node) {
		g, err := groups.Start(ctx, groups.Config{System: r.System, Cluster: r.Cluster()})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(g.Close)
		if t, err = topics.Start(ctx, topics.Config{System: r.System, Groups: g}); err != nil {
			b.Fatal(err)
		}
	}})
	done := make(chan struct{}, 10)
	for range 10 {
		count := 0
		pid, err := n.Spawn(ctx, actor.Func(func(*actor.Self, any) error {
			if count++; count == b.N {
				done <- struct{}{}
			}
			return nil
		}))
		if err != nil {
			b.Fatal(err)
		}
		if err := t.Subscribe(ctx, "news", pid); err != nil {
			b.Fatal(err)
		}
	}
	var msg any = &News{1}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := t.Publish(n.System, "news", msg); err != nil {
			b.Fatal(err)
		}
	}
	for range 10 {
		<-done
	}
}
