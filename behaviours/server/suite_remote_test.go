package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
	"github.com/topos-go/topos/clustertest"
)

// far is a server whose messages travel.
type far struct{ seen []int }

func (s *far) HandleCall(self *actor.Self, req any) (server.Next, error) {
	switch r := req.(type) {
	case string:
		if r == "boom" {
			return server.Next{}, errBoom
		}
		return server.Next{}, self.Reply(self.System().Node().Name + " " + r)
	case time.Duration:
		self.SendAfter(r, self.From())
	case bool:
		return server.Next{}, self.Reply(s.seen)
	}
	return server.Next{}, nil
}

func (s *far) HandleCast(_ *actor.Self, msg any) (server.Next, error) {
	switch m := msg.(type) {
	case int:
		s.seen = append(s.seen, m)
	case actor.From:
		m.Reply("late")
	}
	return server.Next{}, nil
}

// fleet is a cluster with a far server called hubba on each node.
type fleet struct {
	*testing.T
	*clustertest.Cluster
	pids  []actor.PID
	names []string
}

func cluster(t *testing.T, n int, test func(f *fleet)) {
	t.Helper()
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		f := &fleet{T: t, Cluster: c}
		for i := range n {
			f.pids = append(f.pids, f.start(i, "hubba"))
			f.names = append(f.names, c.Node(i).Name())
		}
		test(f)
	}, clustertest.Types(server.Messages()...))
}

func (f *fleet) start(i int, name actor.Name, opts ...actor.SpawnOption) actor.PID {
	f.Helper()
	pid, err := f.Node(i).Spawn(f.Context(), server.New(new(far)), append(opts, name)...)
	if err != nil {
		f.Fatal(err)
	}
	return pid
}

func (f *fleet) at(i int) actor.NameAt { return actor.NameAt{Name: "hubba", Node: f.names[i]} }

func (f *fleet) wantOK(to actor.Address) {
	f.Helper()
	if got, err := actor.Call[string](f.Context(), f.Node(0), to, "ok"); got != f.names[1]+" ok" || err != nil {
		f.Errorf("call of %v: %q, %v", to, got, err)
	}
}

func (f *fleet) wantFailed(what string, err error, wants ...error) {
	f.Helper()
	for _, want := range wants {
		if errors.Is(err, want) || err != nil && errors.Unwrap(err) != nil && errors.Unwrap(err).Error() == want.Error() {
			return
		}
	}
	f.Errorf("%s: %v, want one of %v", what, err, wants)
}

// failsAfterExit is what the three cases of a server that ends have in common.
func failsAfterExit(t *testing.T, address func(f *fleet) actor.Address) {
	cluster(t, 2, func(f *fleet) {
		to := address(f)
		f.wantOK(to)
		if err := f.Node(0).Exit(f.pids[1], errBoom); err != nil {
			f.Fatal(err)
		}
		_, err := actor.Call[string](f.Context(), f.Node(0), to, "ok")
		f.wantFailed("call", err, actor.ErrNoProc, errBoom)
	})
}

// failsAfterStop is the same of a node that ends.
func failsAfterStop(t *testing.T, address func(f *fleet) actor.Address, want ...error) {
	cluster(t, 2, func(f *fleet) {
		to := address(f)
		f.wantOK(to)
		f.Stop(1)
		_, err := actor.Call[string](f.Context(), f.Node(0), to, "ok")
		f.wantFailed("call", err, want...)
	})
}

func byClusterName(f *fleet) actor.Address {
	f.start(1, "unused", actor.ClusterName("hubba"))
	f.pids[1], _ = f.Node(1).Await(f.Context(), "hubba")
	if _, err := f.Node(0).Await(f.Context(), "hubba"); err != nil {
		f.Fatal(err)
	}
	return actor.ClusterName("hubba")
}

func byPID(f *fleet) actor.Address  { return f.pids[1] }
func byName(f *fleet) actor.Address { return f.at(1) }

func TestCallRemote1(t *testing.T) { failsAfterExit(t, byClusterName) }
func TestCallRemote2(t *testing.T) { failsAfterExit(t, byPID) }
func TestCallRemote3(t *testing.T) { failsAfterExit(t, byName) }

func TestCallRemoteN1(t *testing.T) {
	failsAfterStop(t, byClusterName, actor.ErrNoProc, actor.ErrNoConnection)
}
func TestCallRemoteN2(t *testing.T) { failsAfterStop(t, byPID, actor.ErrNoConnection) }
func TestCallRemoteN3(t *testing.T) { failsAfterStop(t, byName, actor.ErrNoConnection) }

// stopsThere stops a server on another node, and then the node.
func stopsThere(t *testing.T, address func(f *fleet) actor.Address, want ...error) {
	cluster(t, 2, func(f *fleet) {
		to := address(f)
		if err := server.Stop(f.Context(), f.Node(0), to, nil); err != nil {
			f.Error(err)
		}
		if f.Node(1).Alive(f.pids[1]) {
			f.Error("it is alive")
		}
		f.Settle()
		f.wantFailed("another stop", server.Stop(f.Context(), f.Node(0), to, nil), actor.ErrNoProc)
		f.Stop(1)
		f.wantFailed("stop on a node that is gone", server.Stop(f.Context(), f.Node(0), to, nil), want...)
	})
}

func TestStop8(t *testing.T)  { stopsThere(t, byPID, actor.ErrNoConnection) }
func TestStop9(t *testing.T)  { stopsThere(t, byName, actor.ErrNoConnection) }
func TestStop10(t *testing.T) { stopsThere(t, byClusterName, actor.ErrNoProc) }

func TestStop6(t *testing.T) { // a cluster name, on the own node
	cluster(t, 2, func(f *fleet) {
		to := byClusterName(f)
		if err := server.Stop(f.Context(), f.Node(1), to, nil); err != nil || f.Node(1).Alive(f.pids[1]) {
			f.Errorf("stop: %v; alive: %v", err, f.Node(1).Alive(f.pids[1]))
		}
		f.wantFailed("another stop", server.Stop(f.Context(), f.Node(1), to, nil), actor.ErrNoProc)
	})
}

func TestStopCarriesItsReasonToAnotherNode(t *testing.T) {
	cluster(t, 2, func(f *fleet) {
		for i, reason := range []error{errBoom, actor.ErrShutdown, errors.Join(errBoom, actor.ErrShutdown)} {
			name := actor.Name(string(rune('a' + i)))
			pid := f.start(1, name)
			var end actor.ProcessExited
			cancel := f.Node(1).Observe(func(e actor.Event) {
				if exited, ok := e.(actor.ProcessExited); ok && exited.PID == pid {
					end = exited
				}
			})
			if err := server.Stop(f.Context(), f.Node(0), pid, reason); err != nil {
				f.Errorf("stop with %v: %v", reason, err)
			}
			f.Settle()
			cancel()
			if end.Reason == nil || end.Reason.Error() != reason.Error() || actor.Abnormal(end.Reason) != actor.Abnormal(reason) {
				f.Errorf("ended with %v, want %v", end.Reason, reason)
			}
		}
	})
}

func TestCastFast(t *testing.T) { // to a node that does not answer
	cluster(t, 2, func(f *fleet) {
		f.Pause(1)
		began := time.Now()
		server.Abcast(f.Node(0), f.names, "hubba", 1)
		if took := time.Since(began); took > 0 {
			f.Errorf("took %v", took)
		}
		f.Resume(1)
	})
}

func TestAbcast(t *testing.T) {
	cluster(t, 3, func(f *fleet) {
		server.Abcast(f.Node(0), append(f.names, "nobody@nowhere"), "hubba", 1)
		server.Abcast(f.Node(0), f.names[1:], "hubba", 2)
		server.Abcast(f.Node(0), f.names, "nobody", 3)
		f.Settle()
		for i, want := range [][]int{{1}, {1, 2}, {1, 2}} {
			got, err := actor.Call[[]int](f.Context(), f.Node(0), f.at(i), true)
			if err != nil || len(got) != len(want) || got[len(got)-1] != want[len(want)-1] {
				f.Errorf("node %d saw %v, %v; want %v", i, got, err, want)
			}
		}
	})
}

func TestMulticall(t *testing.T) {
	cluster(t, 3, func(f *fleet) {
		replies, bad := server.MultiCall[string](f.Context(), f.Node(0), f.names, "hubba", "ok")
		if len(replies) != 3 || len(bad) != 0 {
			f.Fatalf("replies %v, bad %v", replies, bad)
		}
		for i, r := range replies {
			if r.Node != f.names[i] || r.Value != f.names[i]+" ok" {
				f.Errorf("reply %d: %+v", i, r)
			}
		}
		// Those that are late are bad, and do not hold up the others for longer.
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		began := time.Now()
		replies, bad = server.MultiCall[string](ctx, f.Node(0), f.names, "hubba", time.Minute)
		if len(replies) != 0 || len(bad) != 3 || !errors.Is(bad[1], actor.ErrTimeout) || time.Since(began) > 2*time.Second {
			f.Errorf("replies %v, bad %v after %v", replies, bad, time.Since(began))
		}
	})
}

func TestMulticallDown(t *testing.T) {
	cluster(t, 3, func(f *fleet) {
		f.Stop(2)
		_ = f.Node(1).System.Kill(f.pids[1])
		f.Settle()
		replies, bad := server.MultiCall[string](f.Context(), f.Node(0), append(f.names, "nobody@nowhere"), "hubba", "ok")
		if len(replies) != 1 || replies[0].Node != f.names[0] || len(bad) != 3 {
			f.Fatalf("replies %v, bad %v", replies, bad)
		}
		if !errors.Is(bad[0], actor.ErrNoProc) || !errors.Is(bad[1], actor.ErrNoConnection) {
			f.Errorf("bad: %v", bad)
		}
	})
}

func TestRequestFailsWhenTheNodeIsLost(t *testing.T) {
	cluster(t, 2, func(f *fleet) {
		ctx, cancel := context.WithTimeout(f.Context(), time.Hour)
		defer cancel()
		r := actor.SendRequest[string](ctx, f.Node(0), f.at(1), time.Minute)
		f.Pass(time.Second)
		f.Kill(1)
		_, err := r.Wait(f.Context())
		f.wantFailed("request", err, actor.ErrNoConnection)
	})
}
