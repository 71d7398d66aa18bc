package pool_test

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/pool"
)

func shout(_ context.Context, job any) (any, error) { return strings.ToUpper(job.(string)), nil }

func ExampleSpawn() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)

	p, err := pool.Spawn(ctx, sys, pool.Config{Work: shout, Size: 2, Max: 8, Queue: 100, Overflow: pool.Block})
	if err != nil {
		panic(err)
	}
	fmt.Println(actor.Call[string](ctx, sys, p, "hello"))
	// One that cannot be done costs its worker, which is replaced.
	_, err = actor.Call[string](ctx, sys, p, 42)
	fmt.Println(err != nil)
	fmt.Println(actor.Call[string](ctx, sys, p, "still here"))
	var stats pool.Stats
	stats, err = pool.StatsOf(ctx, sys, p)
	fmt.Println(stats.Completed, stats.Failed, err)
	// Output:
	// HELLO <nil>
	// true
	// STILL HERE <nil>
	// 2 1 <nil>
}

// shelf is a worker with a state: it counts the words that it gets.
type shelf map[string]int

func (s shelf) Receive(self *actor.Self, msg any) error {
	word := msg.(string)
	s[word]++
	return self.Reply(s[word])
}

// With a key, equal words come to the same worker, whichever it is.
func ExampleConfig() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)

	p, err := pool.Spawn(ctx, sys, pool.Config{
		Worker: pool.Same(actor.Start(func() actor.Actor { return make(shelf) })),
		Size:   4,
		Route:  pool.Hash,
		Key:    func(job any) string { return job.(string) },
	})
	if err != nil {
		panic(err)
	}
	for _, word := range []string{"a", "b", "a", "a", "b"} {
		n, err := actor.Call[int](ctx, sys, p, word)
		fmt.Println(word, n, err)
	}
	// Output:
	// a 1 <nil>
	// b 1 <nil>
	// a 2 <nil>
	// a 3 <nil>
	// b 2 <nil>
}

// All workers are asked: for every reply, for the first good one, or for none.
func ExampleScatter() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)

	// Each worker guards a part of the phone book.
	parts := []map[string]int{{"ann": 1}, {"bob": 2}, {"bob": 3}}
	p, err := pool.Spawn(ctx, sys, pool.Config{Size: 3, Worker: func(slot int) actor.StartFunc {
		return actor.Start(func() actor.Actor {
			return actor.Func(func(self *actor.Self, name any) error { return self.Reply(parts[slot][name.(string)]) })
		})
	}})
	if err != nil {
		panic(err)
	}
	replies, err := pool.Scatter[int](ctx, sys, p, "bob", time.Second)
	var numbers []int
	for _, r := range replies {
		numbers = append(numbers, r.Value)
	}
	sort.Ints(numbers)
	fmt.Println(numbers, err)
	fmt.Println(pool.First(ctx, sys, p, "ann", func(n int) bool { return n != 0 }))
	fmt.Println(pool.Broadcast(ctx, sys, p, "carl"))
	// Output:
	// [0 2 3] <nil>
	// 1 <nil>
	// 3 <nil>
}
