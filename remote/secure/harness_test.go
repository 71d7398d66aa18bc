package secure_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/remote/secure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long these tests wait for what must come.
const patience = 20 * time.Second

// tcp is a carrier over sockets of the loopback interface.
type tcp struct{}

func (tcp) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

func (tcp) Listen(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

// gauge is tcp that counts what is read from and written to what it accepts and
// dials.
type gauge struct {
	tcp
	writes, read atomic.Int64 // calls, and bytes
}

type gauged struct {
	*net.TCPConn
	gauge *gauge
}

func (c gauged) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.gauge.read.Add(int64(n))
	return n, err
}

func (c gauged) Write(b []byte) (int, error) {
	c.gauge.writes.Add(1)
	return c.TCPConn.Write(b)
}

func (g *gauge) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := g.tcp.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return gauged{c.(*net.TCPConn), g}, nil
}

func (g *gauge) Listen(addr string) (net.Listener, error) {
	l, err := g.tcp.Listen(addr)
	return gaugedListener{l, g}, err
}

type gaugedListener struct {
	net.Listener
	gauge *gauge
}

func (l gaugedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return gauged{c.(*net.TCPConn), l.gauge}, nil
}

func authority(t testing.TB, name string) *secure.Authority {
	t.Helper()
	a, err := secure.NewAuthority(name, time.Now().Add(-48*time.Hour), 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// request is for a good certificate.
func request(hosts ...string) secure.Request {
	return secure.Request{Name: "node", Hosts: hosts, From: time.Now().Add(-time.Hour), Validity: 24 * time.Hour}
}

func issue(t testing.TB, a *secure.Authority, r secure.Request) *secure.Pair {
	t.Helper()
	p, err := a.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func certificate(t testing.TB, p *secure.Pair) tls.Certificate {
	t.Helper()
	c, err := p.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// memoryConfig is a Config of what is in memory: a certificate of a for hosts.
func memoryConfig(t testing.TB, a *secure.Authority, hosts ...string) secure.Config {
	t.Helper()
	return secure.Config{
		Certificate: issue(t, a, request(hosts...)).Certificate,
		Roots:       func() (*x509.CertPool, error) { return secure.Pool(a), nil },
		Logger:      slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func transport(t testing.TB, over secure.Carrier, cfg secure.Config) *secure.Transport {
	t.Helper()
	tr, err := secure.New(over, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// server accepts connections and serves each in a goroutine, until the test ends.
type server struct {
	*secure.Transport
	addr string
}

func serve(t testing.TB, tr *secure.Transport, handle func(*secure.Conn)) *server {
	t.Helper()
	l, err := tr.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &server{tr, acceptAll(t, l, func(c net.Conn) { handle(c.(*secure.Conn)) })}
}

func acceptAll(t testing.TB, l net.Listener, handle func(net.Conn)) (addr string) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// reader returns a handler that reads once, and where it puts the error.
func reader() (func(*secure.Conn), <-chan error) {
	errs := make(chan error, 1000)
	return func(c *secure.Conn) {
		_, err := c.Read(make([]byte, 1))
		errs <- err
	}, errs
}

func echo(c *secure.Conn) { _, _ = io.Copy(c, c) }

func dial(t testing.TB, tr *secure.Transport, addr string) (*secure.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := tr.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*secure.Conn), nil
}

func mustDial(t testing.TB, tr *secure.Transport, addr string) *secure.Conn {
	t.Helper()
	c, err := dial(t, tr, addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// exchange writes something, which must come back.
func exchange(c net.Conn) error {
	if _, err := c.Write([]byte("ping")); err != nil {
		return err
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != "ping" {
		return errors.New("something else came back: " + string(got))
	}
	return nil
}

func receive[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

var allReasons = []error{
	secure.ErrNoCertificate, secure.ErrExpired, secure.ErrAuthority, secure.ErrName, secure.ErrCertificate,
	secure.ErrVersion, secure.ErrProtocol, secure.ErrPlaintext, secure.ErrMalformed, secure.ErrRefused,
}

// checkRefusal checks that err has this reason, and no other, and who refused.
func checkRefusal(t testing.TB, err, want error, remote bool) {
	t.Helper()
	refused, ok := errors.AsType[*secure.HandshakeError](err)
	if !ok || refused.Remote != remote {
		t.Fatalf("want %v, remote %v, got %#v: %v", want, remote, err, err)
	}
	for _, reason := range allReasons {
		if errors.Is(err, reason) != (reason == want) {
			t.Errorf("want %v, got %v", want, err)
		}
	}
}

// checkCounted checks that one handshake was refused, for this reason.
func checkCounted(t testing.TB, s secure.Stats, want error) {
	t.Helper()
	for _, r := range s.Refused {
		if (r.Count == 1) != (r.Reason == want) || r.Count > 1 {
			t.Errorf("%d were refused with: %v", r.Count, r.Reason)
		}
	}
	if s.RefusedByPeer != 0 {
		t.Errorf("%d were refused by others", s.RefusedByPeer)
	}
}
