package crdtactor_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
	"github.com/topos-go/topos/remote/codec"
)

// stores starts the store of carts on each node of w.
func (w *world) stores(change func(i int, cfg *crdtactor.Config[*crdt.Cart])) []*crdtactor.Store[*crdt.Cart] {
	w.t.Helper()
	list := make([]*crdtactor.Store[*crdt.Cart], len(w.nodes))
	for i := range w.nodes {
		cfg := crdtactor.Config[*crdt.Cart]{Name: carts, New: func() *crdt.Cart { return new(crdt.Cart) }, Members: w.members}
		if change != nil {
			change(i, &cfg)
		}
		store, err := crdtactor.NewStore(cfg)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := store.Spawn(w.t.Context(), w.sys(i)); err != nil {
			w.t.Fatal(err)
		}
		list[i] = store
	}
	return list
}

// put puts one more of item into the cart under key, by way of node i.
func (w *world) put(store *crdtactor.Store[*crdt.Cart], i int, key, item string, opts ...crdtactor.UpdateOption) {
	w.t.Helper()
	err := store.Update(w.t.Context(), w.sys(i), key, func(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart {
		return c.Add(me, item, 1)
	}, opts...)
	if err != nil {
		w.t.Fatal(err)
	}
}

// quantity returns how many of item node i sees in the cart under key.
func (w *world) quantity(store *crdtactor.Store[*crdt.Cart], i int, key, item string) (n int64) {
	w.t.Helper()
	if err := store.View(w.t.Context(), w.sys(i), key, func(c *crdt.Cart) { n = c.Quantity(item) }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// meter counts the encoded bytes that a world's nodes hand to the network.
type meter struct{ bytes, messages atomic.Int64 }

func (w *world) meter() *meter {
	c, err := codec.New(codec.Config{Types: codec.Types(crdtactor.WireTypes()...)})
	if err != nil {
		w.t.Fatal(err)
	}
	m := new(meter)
	w.setDrop(func(_, _ string, msg any) bool {
		v, err := c.Encode(msg)
		if err != nil {
			panic(err)
		}
		m.bytes.Add(int64(len(v.Data)))
		m.messages.Add(1)
		return false
	})
	return m
}

func TestStoreKeepsItsKeysEqualThroughAPartition(t *testing.T) {
	for _, shards := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 3)
			all := w.stores(func(_ int, cfg *crdtactor.Config[*crdt.Cart]) { cfg.Shards, cfg.Backlog = shards, 64 })
			keys := names(500)
			for n, key := range keys {
				w.put(all[n%3], n%3, key, "tea")
			}
			synctest.Wait()
			w.setDrop(func(from, to string, _ any) bool { return (from == w.nodes[0].Name) != (to == w.nodes[0].Name) })
			for n, key := range keys {
				if n%7 == 0 {
					w.put(all[0], 0, key, "tea")
					w.put(all[1], 1, key, "tea")
				}
			}
			w.setDrop(nil)
			time.Sleep(5 * time.Second)
			for i := range 3 {
				if got, err := all[i].Keys(t.Context(), w.sys(i)); err != nil || !slices.Equal(got, keys) {
					t.Fatalf("node %d has %d keys, want %d: %v", i, len(got), len(keys), err)
				}
				for n, key := range keys {
					want := int64(1)
					if n%7 == 0 {
						want = 3
					}
					if got := w.quantity(all[i], i, key, "tea"); got != want {
						t.Fatalf("%d shards: node %d has %d under %s, want %d", shards, i, got, key, want)
					}
				}
			}
		})
	}
}

func TestNodeThatJoinsIsSentTheWholeStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.crash(1)
		first := w.nodes
		w.nodes = w.nodes[:1]
		all := w.stores(nil)
		for _, key := range names(3000) { // more than the log keeps
			w.put(all[0], 0, key, "tea")
		}
		w.nodes = first
		w.boot(1)
		second, err := crdtactor.NewStore(crdtactor.Config[*crdt.Cart]{Name: carts, New: func() *crdt.Cart { return new(crdt.Cart) }, Members: w.members})
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Spawn(t.Context(), w.sys(1)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // no time passes
		if got, err := second.Keys(t.Context(), w.sys(1)); err != nil || len(got) != 3000 {
			t.Errorf("it has %d keys, %v", len(got), err)
		}
	})
}

func TestQuietStoresExchangeNextToNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		all := w.stores(nil)
		for n, key := range names(2000) {
			w.put(all[n%5], n%5, key, "tea")
		}
		time.Sleep(5 * time.Second)
		m := w.meter()
		time.Sleep(20 * time.Second)
		if rate := m.bytes.Load() / 20 / 5; rate > 1000 {
			t.Errorf("%d bytes a second and node when nothing changes", rate)
		}
		if m.messages.Load() == 0 {
			t.Error("the nodes do not compare their states")
		}
	})
}

func TestOneLostChangeAmongManyKeysIsFoundWithFewBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		all := w.stores(func(_ int, cfg *crdtactor.Config[*crdt.Cart]) { cfg.Backlog = 1 })
		for _, key := range names(5000) {
			w.put(all[0], 0, key, "tea", crdtactor.Copies(2))
		}
		w.setDrop(func(_, _ string, msg any) bool { _, is := msg.(replica.Delta); return is })
		w.put(all[0], 0, "cart 00042", "milk")
		w.put(all[0], 0, "cart 00043", "milk") // so that the log has the first no more
		synctest.Wait()
		m := w.meter()
		time.Sleep(3 * time.Second)
		for _, key := range []string{"cart 00042", "cart 00043"} {
			if got := w.quantity(all[1], 1, key, "milk"); got != 1 {
				t.Errorf("%d under %s", got, key)
			}
		}
		if n := m.bytes.Load(); n > 20_000 {
			t.Errorf("it took %d bytes", n)
		}
	})
}

func TestWatcherOfAKeyHearsOfThatKeyOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		all := w.stores(func(_ int, cfg *crdtactor.Config[*crdt.Cart]) { cfg.Shards = 2 })
		var seen atomic.Int64
		calls := 0
		stop, err := all[1].Watch(t.Context(), w.sys(1), "mine", func(c *crdt.Cart) { calls++; seen.Store(c.Quantity("tea")) })
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		synctest.Wait()
		w.put(all[0], 0, "mine", "tea")
		synctest.Wait()
		for n := range 20 {
			w.put(all[0], 0, fmt.Sprint("other", n), "tea")
		}
		synctest.Wait()
		if seen.Load() != 1 || calls != 2 { // what it was at first, and the change
			t.Errorf("it was called %d times and saw %d", calls, seen.Load())
		}
	})
}

func TestStoreReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := crdtactor.NewStore(crdtactor.Config[*crdt.Cart]{Shards: -1, AntiEntropy: -1})
	for _, want := range []string{"Name", "New", "Members"} {
		if err == nil || !containsField(err, want) {
			t.Errorf("%v does not mention %s", err, want)
		}
	}
}

func TestOneAddToALargeCartTakesFewBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		all := w.stores(nil)
		for n := range 1000 {
			w.put(all[n%2], n%2, "alice", fmt.Sprintf("item-%05d", n), crdtactor.Copies(2))
		}
		time.Sleep(2500 * time.Millisecond) // not when they compare their roots
		m := w.meter()
		w.put(all[0], 0, "alice", "item-00501", crdtactor.Copies(2)) // one of the other's
		if n := m.bytes.Load(); n > 300 || m.messages.Load() != 2 {
			t.Errorf("%d messages and %d bytes, the acknowledgement included", m.messages.Load(), n)
		}
		t.Logf("%d bytes, the acknowledgement included", m.bytes.Load())
	})
}
