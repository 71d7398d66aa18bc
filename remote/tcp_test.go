package remote_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote"
)

// childEnv, if set, makes the test binary a node that joins the address in it.
const childEnv = "TOPOS_REMOTE_TEST_JOIN"

// child is a node in an operating-system process of its own. It ends when its
// standard input is closed, or when it is killed.
func child(join string) {
	n, err := remote.New(config("child", join))
	if err != nil {
		panic(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
	if err != nil {
		panic(err)
	}
	if err := n.Start(sys); err != nil {
		panic(err)
	}
	pid, err := sys.Spawn(context.Background(), &counter{})
	if err != nil {
		panic(err)
	}
	fmt.Println(pid)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

func TestKilledProcessIsNoticedAtOnce(t *testing.T) {
	a := start(t, config("a"))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+a.Addr())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := actor.ParsePID(line[:len(line)-1])
	if err != nil {
		t.Fatal(err)
	}
	a.await(t, remote.MemberUp, pid.Node())
	p := newProbe(true)
	watcher := a.spawn(t, p)
	a.do(t, watcher, func(self *actor.Self) { self.Link(pid); self.Monitor(pid) })
	// It is alive.
	if _, err := actor.Call[int](t.Context(), a.sys, pid, Get{}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := actor.Call[int](t.Context(), a.sys, pid, Fail{"never"}); !errors.Is(err, actor.ErrNoConnection) {
		t.Errorf("call: %v", err)
	}
	next[actor.Exit](t, p)
	if down := next[actor.Down](t, p); !errors.Is(down.Reason, overlay.ErrUnreachable) {
		t.Errorf("got %v", down.Reason)
	}
	a.await(t, remote.MemberDown, pid.Node())
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestThreeNodesOverTCP(t *testing.T) {
	a := start(t, config("a"))
	b := start(t, config("b", a.Addr()))
	c := start(t, config("c", a.Addr()))
	meet(t, a, b, c)
	target := a.spawn(t, &counter{n: 5}, actor.Name("counter"))
	middle := b.spawn(t, &counter{})
	if n, err := actor.Call[int](t.Context(), c.sys, middle, Ask{Of: target}); n != 5 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	at := actor.NameAt{Name: "counter", Node: a.ID().Name}
	if n, err := actor.Call[int](t.Context(), c.sys, at, Get{}); n != 5 || err != nil {
		t.Fatalf("by name: got %d, %v", n, err)
	}
	p := newProbe(true)
	watcher := c.spawn(t, p)
	c.do(t, watcher, func(self *actor.Self) { self.Monitor(target); self.Link(middle) })
	if err := c.sys.Send(target, Fail{"broken"}); err != nil {
		t.Fatal(err)
	}
	if down := next[actor.Down](t, p); !errors.Is(down.Reason, errBroken) {
		t.Errorf("got %v", down)
	}
	if err := c.sys.Send(middle, Fail{"panic"}); err != nil {
		t.Fatal(err)
	}
	if exit := next[actor.Exit](t, p); exit.From != middle || exit.Reason.Error() != "panic: out of order" {
		t.Errorf("got %v", exit)
	}
}

func TestOrderUnderLoadOverTCP(t *testing.T) {
	a := start(t, config("a"))
	b := start(t, config("b", a.Addr()))
	meet(t, a, b)
	checkOrder(t, a, b)
}

func TestLargeMessageOverTCP(t *testing.T) {
	a := start(t, config("a"))
	b := start(t, config("b", a.Addr()))
	meet(t, a, b)
	pid := a.spawn(t, &counter{})
	data := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
	got, err := actor.Call[[]byte](t.Context(), b.sys, pid, data)
	if !bytes.Equal(got, data) || err != nil {
		t.Fatalf("got %d bytes, %v", len(got), err)
	}
}

// scissors is TCP whose connections can be cut.
type scissors struct {
	remote.TCP
	mu    sync.Mutex
	conns []*net.TCPConn
}

func (s *scissors) Dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := s.TCP.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, conn.(*net.TCPConn))
	return conn, nil
}

// cut resets all connections made so far.
func (s *scissors) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
	s.conns = nil
}

func TestCutConnectionsLoseNothingOverTCP(t *testing.T) {
	a := start(t, config("a"))
	cfg, cutter := config("b", a.Addr()), new(scissors)
	cfg.Transport, cfg.RedialMin = cutter, time.Millisecond
	b := start(t, cfg)
	meet(t, a, b)
	var mu sync.Mutex
	var seen []int
	pid := a.spawn(t, &counter{mu: &mu, seen: &seen})
	for round := range 20 {
		for i := range 500 {
			if err := b.sys.Send(pid, Add{round*500 + i}); err != nil {
				t.Fatal(err)
			}
		}
		if round%2 == 0 {
			cutter.cut() // with messages under way
		}
		if _, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for i, n := range seen {
		if n != i {
			t.Fatalf("message %d came as the %dth", n, i)
		}
	}
	if len(seen) != 10000 {
		t.Fatalf("%d messages came", len(seen))
	}
	a.quiet(t)
	b.quiet(t)
}

func TestRestartAtTheSameAddressOverTCP(t *testing.T) {
	a := start(t, config("a"))
	first := start(t, config("b", a.Addr()))
	meet(t, a, first)
	old := first.spawn(t, &counter{})
	if _, err := actor.Call[int](t.Context(), a.sys, old, Get{}); err != nil {
		t.Fatal(err)
	}
	first.stop(t)
	a.await(t, remote.MemberDown, first.ID())
	cfg := config("b", a.Addr())
	cfg.Listen = first.Addr()
	second := start(t, cfg)
	if first.ID().Name != second.ID().Name {
		t.Fatalf("%v is not %v restarted", second.ID(), first.ID())
	}
	a.await(t, remote.MemberUp, second.ID())
	second.spawn(t, &counter{})
	if _, err := actor.Call[int](t.Context(), a.sys, old, Get{}); !errors.Is(err, actor.ErrNoConnection) {
		t.Errorf("a stale PID: %v", err)
	}
}

func TestNodesStartTogetherOverTCP(t *testing.T) {
	var hosts []*host
	var addrs []string
	for i := range 3 {
		h := start(t, config(string(rune('a'+i)), addrs...))
		hosts, addrs = append(hosts, h), append(addrs, h.Addr())
		for _, other := range hosts {
			other.Join(addrs...)
		}
	}
	meet(t, hosts...)
}
