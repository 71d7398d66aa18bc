package strong

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unique"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// connected is a remote node as a Cluster.
type connected struct{ *remote.Node }

func (c connected) Self() actor.NodeID { return c.ID() }

func (c connected) Members() []actor.NodeID {
	var ids []actor.NodeID
	for _, m := range c.Node.Members() {
		ids = append(ids, m.Node)
	}
	return ids
}

func (c connected) HandleControl(topic string, f func(actor.NodeID, []byte)) {
	c.Node.HandleControl(topic, f)
}

func (c connected) Watch(f func(actor.NodeID, bool)) (cancel func()) {
	return c.Subscribe(func(e remote.MemberEvent) { f(e.Node, e.Kind == remote.MemberUp) })
}

// overTCP starts n nodes with registries that are connected by TCP.
func overTCP(tb testing.TB, n int, change func(i int, c *Config)) []*Registry {
	tb.Helper()
	var nodes []*remote.Node
	var voters []string
	for i := range n {
		cfg := remote.Config{Name: fmt.Sprint("n", i), Secret: "strong secret"}
		if i > 0 {
			cfg.Join = []string{nodes[0].Addr()}
		}
		node, err := remote.New(cfg)
		if err != nil {
			tb.Fatal(err)
		}
		nodes = append(nodes, node)
		voters = append(voters, node.ID().Name)
	}
	var regs []*Registry
	for i, node := range nodes {
		sys, err := actor.NewSystem(actor.Config{Node: node.ID(), Router: node})
		if err != nil {
			tb.Fatal(err)
		}
		cfg := Config{Cluster: connected{node}, Voters: voters, Bootstrap: true}
		if change != nil {
			change(i, &cfg)
		}
		r, err := New(cfg)
		if err == nil {
			err = r.Start()
		}
		if err == nil {
			err = node.Start(sys)
		}
		if err != nil {
			tb.Fatal(err)
		}
		regs = append(regs, r)
		tb.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			for _, err := range []error{r.Close(ctx), node.Close(ctx), sys.Close(ctx)} {
				if err != nil {
					tb.Error(err)
				}
			}
		})
	}
	return regs
}

// bare is hashicorp/raft alone, as its authors connect it, with our store and a
// state machine that registers a name if it is free.
type bare struct {
	rafts []*raft.Raft
}

type bareFSM struct{ names map[string]string }

func (f *bareFSM) Apply(l *raft.Log) any {
	name := string(l.Data)
	if _, taken := f.names[name]; taken {
		return false
	}
	f.names[name] = name
	return true
}

func (f *bareFSM) Snapshot() (raft.FSMSnapshot, error) { return bareImage(maps.Clone(f.names)), nil }
func (f *bareFSM) Restore(io.ReadCloser) error         { return nil }

// bareImage writes the names as they come.
type bareImage map[string]string

func (i bareImage) Persist(sink raft.SnapshotSink) error {
	w := bufio.NewWriter(sink)
	for name, holder := range i {
		_, _ = w.Write(appendBytes(appendBytes(nil, name), holder))
	}
	return errors.Join(w.Flush(), sink.Close())
}

func (i bareImage) Release() {}

func newBare(tb testing.TB, memory bool, cfg *Config) *bare {
	tb.Helper()
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	var servers []raft.Server
	var transports []*raft.NetworkTransport
	for i := range 3 {
		t, err := raft.NewTCPTransportWithLogger("127.0.0.1:0", nil, 3, 10*time.Second, logger)
		if err != nil {
			tb.Fatal(err)
		}
		transports = append(transports, t)
		servers = append(servers, raft.Server{ID: raft.ServerID(fmt.Sprint(i)), Address: t.LocalAddr()})
	}
	b := &bare{}
	for i, t := range transports {
		rc := cfg.raft(servers[i].ID)
		rc.Logger = logger
		var d disk = newMemoryStore()
		if !memory {
			s, err := openStore(tb.TempDir())
			if err != nil {
				tb.Fatal(err)
			}
			d = s
		}
		r, err := raft.NewRaft(rc, &bareFSM{names: make(map[string]string)}, d, d, new(memorySnapshots), t)
		if err != nil {
			tb.Fatal(err)
		}
		b.rafts = append(b.rafts, r)
		tb.Cleanup(func() {
			if err := r.Shutdown().Error(); err != nil {
				tb.Error(err)
			}
			t.CloseStreams()
			_ = t.Close()
			_ = d.Close()
		})
	}
	if err := b.rafts[0].BootstrapCluster(raft.Configuration{Servers: servers}).Error(); err != nil {
		tb.Fatal(err)
	}
	return b
}

// leader returns the raft that leads.
func (b *bare) leader() *raft.Raft {
	for {
		for _, r := range b.rafts {
			if r.State() == raft.Leader && r.VerifyLeader().Error() == nil {
				return r
			}
		}
		runtimePause()
	}
}

func runtimePause() { <-time.After(10 * time.Millisecond) }

// leading returns the registry whose node leads.
func leading(regs []*Registry) *Registry {
	for {
		for _, r := range regs {
			if r.replica.leader.stands(r.replica.leader.ready()) {
				return r
			}
		}
		runtimePause()
	}
}

// spread calls f count times on callers goroutines, and returns how many there
// were in a second.
func spread(b *testing.B, callers, count int, f func() error) float64 {
	var next atomic.Int64
	var work sync.WaitGroup
	began := time.Now()
	for range callers {
		work.Go(func() {
			for next.Add(1) <= int64(count) {
				if err := f(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	return float64(count) / time.Since(began).Seconds()
}

// BenchmarkRegistrations compares registrations through three voters with
// entries of raft alone, over TCP both, in turns.
func BenchmarkRegistrations(b *testing.B) {
	for _, memory := range []bool{true, false} {
		for _, callers := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("memory=%v/callers=%d", memory, callers), func(b *testing.B) {
				benchmarkRegistrations(b, memory, callers)
			})
		}
	}
}

func benchmarkRegistrations(b *testing.B, memory bool, callers int) {
	regs := overTCP(b, 3, func(_ int, c *Config) {
		if !memory {
			c.Dir = b.TempDir()
		}
	})
	other := newBare(b, memory, &regs[0].cfg)
	ours, theirs := leading(regs), other.leader()
	follower := regs[(slices.Index(regs, ours)+1)%3]
	ctx := context.Background()
	pid := actor.MakePID(unique.Make(ours.self), 1<<28|1)
	var ids atomic.Int64
	register := func(r *Registry) func() error {
		return func() error {
			_, err := r.Register(ctx, fmt.Sprint("service ", ids.Add(1)), pid, IfFree())
			return err
		}
	}
	apply := func() error { return theirs.Apply(fmt.Append(nil, "service ", ids.Add(1)), 0).Error() }
	count := 20 * max(callers, 10)
	if memory {
		count = 50 * max(callers, 40) // some tenths of a second
	}
	var ratios, own, bare, forwarded []float64
	for b.Loop() {
		x, y := spread(b, callers, count, register(ours)), spread(b, callers, count, apply)
		own, bare, ratios = append(own, x), append(bare, y), append(ratios, x/y)
		forwarded = append(forwarded, spread(b, callers, count, register(follower)))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(own), "ours/s")
	b.ReportMetric(median(bare), "raft/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(forwarded), "forwarded/s")
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// BenchmarkLinearizableLookups reads at a follower's node.
func BenchmarkLinearizableLookups(b *testing.B) {
	regs := overTCP(b, 3, nil)
	ours := leading(regs)
	ctx := context.Background()
	pid := actor.MakePID(unique.Make(ours.self), 1<<28|1)
	if _, err := ours.Register(ctx, "name", pid, IfFree()); err != nil {
		b.Fatal(err)
	}
	follower := regs[(slices.Index(regs, ours)+1)%3]
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			var rates []float64
			for b.Loop() {
				rates = append(rates, spread(b, callers, 1000, func() error {
					_, err := follower.LookupLinearizable(ctx, "name")
					return err
				}))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(rates), "lookups/s")
		})
	}
}
