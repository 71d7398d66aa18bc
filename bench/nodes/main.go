// Command nodes starts many nodes with partial views in one process, on loopback,
// and tells how long it takes until each knows all, how much memory that is, how long
// a broadcast takes to reach all, and how long until all know that some have been
// killed.
//
//	go run ./bench/nodes -nodes 100 -kill 0.1
//
// Its last line is one JSON object: nodes, known_s, heap_mb, sys_mb, goroutines, files,
// rest_ms (processor time a node and second, while nothing happens), broadcast_s (the
// slowest of some), buried_s. With -profile, there is a CPU profile of each phase, and
// of the heap and the goroutines at rest.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

func main() {
	nodes := flag.Int("nodes", 100, "how many")
	kill := flag.Float64("kill", 0.1, "the share that is killed")
	every := flag.Duration("every", 20*time.Millisecond, "the time between two starts")
	limit := flag.Duration("limit", 2*time.Minute, "how long anything may take")
	settle := flag.Duration("settle", 10*time.Second, "the time between that and the rest")
	garbage := flag.Int("gc", 400, "by how many per cent the heap grows until garbage is collected: a thousand nodes share it")
	profile := flag.String("profile", "", "write profiles to files whose names begin like this")
	flag.Parse()
	debug.SetGCPercent(*garbage)
	p := profiles{prefix: *profile}
	err := run(*nodes, *kill, *every, *settle, *limit, &p)
	p.end()
	if err != nil {
		p.dump("heap", "goroutine")
		log.Print(err)
		os.Exit(1)
	}
}

// rest is for how long it is measured what nodes do when nothing happens.
const rest = 10 * time.Second

// node is a node with its system.
type node struct {
	*remote.Node
	sys   *actor.System
	known atomic.Int64 // how many others are members
}

// heard counts the nodes that have had the broadcasts.
var heard atomic.Int64

func start(i int, join []string) (*node, error) {
	n, err := remote.New(remote.Config{
		Name: fmt.Sprint("n", i), Secret: "of the benchmarks", Join: join, Topology: remote.HyParView,
	})
	if err != nil {
		return nil, err
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
	if err != nil {
		return nil, err
	}
	n.HandleBroadcast("news", func(actor.NodeID, []byte) { heard.Add(1) })
	made := &node{Node: n, sys: sys}
	n.Subscribe(func(ev remote.MemberEvent) {
		if ev.Kind == remote.MemberUp {
			made.known.Add(1)
		} else {
			made.known.Add(-1)
		}
	})
	return made, n.Start(sys)
}

// end cuts the node's connections, as a crash does.
func (n *node) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		log.Print(err)
	}
	if err := n.sys.Close(ctx); err != nil {
		log.Print(err)
	}
}

// broadcast returns the longest that one of some broadcasts takes to reach all.
func broadcast(all []*node, limit time.Duration) (slowest time.Duration, err error) {
	for i := range 5 {
		heard.Store(0)
		begun := time.Now()
		if err := all[i*len(all)/5].Broadcast("news", []byte("something has happened")); err != nil {
			return 0, err
		}
		for heard.Load() < int64(len(all)) {
			if time.Since(begun) > limit {
				return 0, fmt.Errorf("after %v a broadcast has reached %d of %d", limit, heard.Load(), len(all))
			}
			time.Sleep(time.Millisecond)
		}
		slowest = max(slowest, time.Since(begun))
	}
	return slowest, nil
}

// atRest returns how many milliseconds of processor time a node takes a second.
func atRest(count int, p *profiles) float64 {
	p.begin("rest")
	used := processorTime()
	time.Sleep(rest)
	ms := (processorTime() - used).Seconds() * 1000 / rest.Seconds() / float64(count)
	p.dump("heap", "goroutine")
	fmt.Printf("at rest, a node takes %.2f ms of processor time a second\n", ms)
	return ms
}

func run(count int, kill float64, every, settle, limit time.Duration, p *profiles) error {
	p.begin("start")
	rng := rand.New(rand.NewPCG(1, 1))
	var all []*node
	for range count {
		var join []string
		for range min(len(all), 3) {
			join = append(join, all[rng.IntN(len(all))].Addr())
		}
		n, err := start(len(all), join)
		if err != nil {
			return err
		}
		all = append(all, n)
		time.Sleep(every)
	}
	known, err := await(all, limit)
	if err != nil {
		return err
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	report := map[string]any{
		"nodes": count, "known_s": known.Seconds(), "heap_mb": m.HeapAlloc >> 20,
		"goroutines": runtime.NumGoroutine(), "files": len(files), "sys_mb": m.Sys >> 20,
	}
	fmt.Printf("%d nodes know each other %v after the last start: %d MB of heap, %d MB from the system, %d goroutines, %d files\n",
		count, known.Round(time.Millisecond), m.HeapAlloc>>20, m.Sys>>20, runtime.NumGoroutine(), len(files))

	p.begin("settle")
	time.Sleep(settle)
	report["rest_ms"] = atRest(count, p)
	p.begin("broadcast")
	reached, err := broadcast(all, limit)
	if err != nil {
		return err
	}
	fmt.Printf("a broadcast reaches all within %v\n", reached.Round(time.Millisecond))
	report["broadcast_s"] = reached.Seconds()

	p.begin("kill")
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	dead := int(kill * float64(count))
	var wg sync.WaitGroup
	for _, n := range all[:dead] {
		wg.Go(n.end)
	}
	wg.Wait()
	all = slices.Clone(all[dead:])
	buried, err := await(all, limit)
	if err != nil {
		return err
	}
	fmt.Printf("%d have been killed, which all others know after %v\n", dead, buried.Round(time.Millisecond))
	report["buried_s"] = buried.Seconds()
	for _, n := range all {
		wg.Go(n.end)
	}
	wg.Wait()
	return json.NewEncoder(os.Stdout).Encode(report)
}

// await returns how long it takes until each of the nodes knows these, and no more.
func await(all []*node, limit time.Duration) (time.Duration, error) {
	begun := time.Now()
	for {
		most, least := 0, len(all)+1
		for _, n := range all {
			known := int(n.known.Load()) + 1
			most, least = max(most, known), min(least, known)
		}
		if most == len(all) && least == len(all) {
			return time.Since(begun), nil
		}
		if time.Since(begun) > limit {
			return 0, fmt.Errorf("after %v nodes know between %d and %d of %d", limit, least, most, len(all))
		}
		time.Sleep(50 * time.Millisecond)
	}
}
