package remote_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// logBook is a log that can be read.
type logBook struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // closed at the next write, if somebody waits for it
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written != nil {
		close(b.written)
		b.written = nil
	}
	return b.buf.Write(p)
}

// await waits until text has been logged.
func (b *logBook) await(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		b.mu.Lock()
		found := strings.Contains(b.buf.String(), text)
		if b.written == nil {
			b.written = make(chan struct{})
		}
		written := b.written
		b.mu.Unlock()
		if found {
			return
		}
		select {
		case <-written:
		case <-timeout:
			t.Fatalf("%q was not logged: %s", text, b)
		}
	}
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// fortress is a node on real TCP that others attack.
type fortress struct {
	*host
	log     *logBook
	refused chan remote.ConnectionRefused
}

func newFortress(t *testing.T, change func(*remote.Config)) *fortress {
	t.Helper()
	f := &fortress{log: new(logBook), refused: make(chan remote.ConnectionRefused, 1000)}
	cfg := config("a")
	cfg.Logger = slog.New(slog.NewTextHandler(f.log, nil))
	if change != nil {
		change(&cfg)
	}
	f.host = start(t, cfg)
	f.Observe(func(ev remote.Event) {
		if r, ok := ev.(remote.ConnectionRefused); ok {
			f.refused <- r
		}
	})
	return f
}

// attack connects to the fortress and writes b.
func (f *fortress) attack(t *testing.T, b []byte) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", f.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// expect waits for a refusal for the given reason, that it is logged and
// counted, and that the fortress still stands.
func (f *fortress) expect(t *testing.T, reason error) {
	t.Helper()
	select {
	case r := <-f.refused:
		if !errors.Is(r.Reason, reason) {
			t.Fatalf("refused because of %v, want %v", r.Reason, reason)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("not refused; want %v", reason)
	}
	if f.Stats().Refused == 0 {
		t.Error("not counted")
	}
	pid := f.spawn(t, &counter{n: 1})
	friend := start(t, config("friend", f.Addr()))
	meet(t, friend, f.host)
	if n, err := actor.Call[int](t.Context(), friend.sys, pid, Get{}); n != 1 || err != nil {
		t.Errorf("the node does not work any more: %d, %v", n, err)
	}
	f.log.await(t, "connection refused")
}

func TestGarbageOnThePortIsRefused(t *testing.T) {
	f := newFortress(t, nil)
	conn := f.attack(t, []byte("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"))
	f.expect(t, handshake.ErrMalformed)
	// It is told so, and the connection is closed.
	answer, _ := io.ReadAll(conn)
	if len(answer) > 0 && !bytes.Equal(answer, handshake.Refuse(handshake.ErrMalformed)) {
		t.Errorf("answered %q", answer)
	}
}

func TestTruncatedFrameOnThePortIsRefused(t *testing.T) {
	f := newFortress(t, nil)
	frame := wire.Append(nil, wire.KindHello, &wire.Hello{Cluster: "topos"}, 0)
	conn := f.attack(t, frame[:len(frame)-1])
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	f.expect(t, handshake.ErrMalformed)
}

func TestOversizedLengthOnThePortIsRefused(t *testing.T) {
	for _, h := range []wire.Header{
		{Kind: wire.KindHello, Head: wire.MaxHead},
		{Kind: wire.KindHello, Payload: 1<<32 - 1},
		{Kind: wire.KindSignal, Head: 1, Payload: 1 << 20},
	} {
		f := newFortress(t, nil)
		f.attack(t, h.Append(nil))
		f.expect(t, handshake.ErrMalformed)
	}
}

func TestSilentConnectionIsRefusedInTime(t *testing.T) {
	f := newFortress(t, func(cfg *remote.Config) { cfg.HandshakeTimeout = 200 * time.Millisecond })
	f.attack(t, []byte{byte(wire.KindHello)})
	f.expect(t, handshake.ErrTimeout)
}

func TestTooManyUnauthenticatedConnectionsAreRefused(t *testing.T) {
	f := newFortress(t, func(cfg *remote.Config) {
		cfg.MaxUnauthenticated = 4
		cfg.HandshakeTimeout = time.Second
	})
	for range 5 {
		f.attack(t, nil)
	}
	f.expect(t, handshake.ErrBusy)
}

func TestWrongSecretIsRefused(t *testing.T) {
	f := newFortress(t, nil)
	cfg := config("b", f.Addr())
	cfg.Secret = "another secret"
	log := new(logBook)
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	b := start(t, cfg)
	f.expect(t, handshake.ErrSecret)
	if len(b.Members()) != 1 {
		t.Errorf("it is in a cluster: %v", b.Members())
	}
	log.await(t, "wrong cluster secret")
}

func TestWrongClusterIsRefused(t *testing.T) {
	f := newFortress(t, nil)
	cfg := config("b", f.Addr())
	cfg.Cluster = "another"
	start(t, cfg)
	f.expect(t, handshake.ErrCluster)
}

func TestNodeWithTheSameNameIsRefused(t *testing.T) {
	f := newFortress(t, nil)
	shake := handshake.Config{Self: f.ID(), Cluster: remote.DefaultCluster, MinVersion: 1, MaxVersion: 1}
	d := handshake.NewDialler(&shake, handshake.Nonce{1}, actor.NodeID{}, false)
	f.attack(t, d.Hello())
	f.expect(t, handshake.ErrSelf)
}

func TestListeningForStrangersMustBeSaidAloud(t *testing.T) {
	cfg := config("a")
	cfg.Listen = "0.0.0.0:0"
	if _, err := remote.New(cfg); !errors.Is(err, remote.ErrInsecure) {
		t.Errorf("got %v", err)
	}
	cfg.Advertise = "127.0.0.1:1"
	insecure, encrypted := cfg, cfg
	insecure.Insecure = true
	encrypted.TLS = newIssuer(t).config("127.0.0.1")
	for _, cfg := range []remote.Config{insecure, encrypted} {
		n, err := remote.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := remote.New(remote.Config{
		Name: "a b", Join: []string{"x@"}, Heartbeat: -1, RedialMin: 2, RedialMax: 1, MaxMessage: -1, QueueBytes: -1,
		Errors: []error{nil},
	})
	for _, want := range []string{"Name", "Secret", "Join", "Heartbeat", "RedialMin", "MaxMessage", "QueueBytes", "Errors"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}
