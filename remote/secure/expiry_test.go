package secure_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/remote/memory"
	"github.com/topos-go/topos/remote/secure"
)

// lines is a log of levels and messages.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.buf.Reset()
	return strings.TrimSpace(l.buf.String())
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.LevelKey || a.Key == slog.MessageKey {
				return a
			}
			return slog.Attr{}
		},
	}))
}

func TestEndOfCertificateIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := authority(t, "good")
		var pair atomic.Pointer[secure.Pair]
		renew := func() {
			pair.Store(issue(t, ca, secure.Request{Hosts: []string{"a"}, From: time.Now(), Validity: 100 * time.Hour}))
		}
		renew()
		log := new(lines)
		cfg := lazily(t, ca, &pair)
		cfg.Logger, cfg.Reload = log.logger(), time.Hour/2
		tr := transport(t, tcp{}, cfg)
		defer tr.Close()
		for range 2 {
			for _, step := range []struct {
				wait time.Duration
				want string
			}{
				{89 * time.Hour, ""},
				{2 * time.Hour, `level=WARN msg="certificate expires soon"`},
				{8 * time.Hour, ""},
				{2 * time.Hour, `level=ERROR msg="certificates not reloaded, the old ones stay"` + "\n" +
					`level=ERROR msg="certificate has expired: no new connections"`},
				{time.Hour, ""},
			} {
				time.Sleep(step.wait)
				synctest.Wait()
				if got := log.take(); got != step.want {
					t.Errorf("after %v: %q", step.wait, got)
				}
			}
			renew()
			reload(t, tr)
			if got := log.take(); got != `level=INFO msg="certificates reloaded"` {
				t.Errorf("renewed: %q", got)
			}
		}
	})
}

// lazily is a Config whose certificate can change.
func lazily(t testing.TB, ca *secure.Authority, pair *atomic.Pointer[secure.Pair]) secure.Config {
	cfg := memoryConfig(t, ca, "unused")
	cfg.Certificate = func() (tls.Certificate, error) { return pair.Load().Certificate() }
	return cfg
}

// What the package's documentation says of certificates that expire, in virtual
// time and over a network in memory.
func TestStandingConnectionsOutliveTheCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := authority(t, "good")
		network := memory.NewNetwork()
		var short atomic.Pointer[secure.Pair]
		renew := func() {
			short.Store(issue(t, ca, secure.Request{Hosts: []string{"a"}, From: time.Now(), Validity: time.Hour}))
		}
		renew()
		a := transport(t, network.Host("a"), lazily(t, ca, &short))
		defer a.Close()
		b := transport(t, network.Host("b"), memoryConfig(t, ca, "b"))
		defer b.Close()
		l, err := b.Listen("b:1")
		if err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 10)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer l.Close()
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				wg.Go(func() { errs <- serveEcho(c) })
			}
		})
		standing, err := a.Dial(t.Context(), "b:1")
		if err != nil {
			t.Fatal(err)
		}
		defer standing.Close()
		if err := exchange(standing); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if err := exchange(standing); err != nil {
			t.Errorf("the standing connection: %v", err)
		}
		late, err := a.Dial(t.Context(), "b:1")
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		_, err = late.Read(make([]byte, 1))
		checkRefusal(t, err, secure.ErrExpired, true)
		late.Close()
		checkRefusal(t, <-errs, secure.ErrExpired, false)

		renew()
		reload(t, a)
		renewed, err := a.Dial(t.Context(), "b:1")
		if err != nil {
			t.Fatal(err)
		}
		defer renewed.Close()
		if err := exchange(renewed); err != nil {
			t.Errorf("with a new certificate: %v", err)
		}
	})
}

// serveEcho returns why the connection ended.
func serveEcho(c net.Conn) error {
	defer c.Close()
	b := make([]byte, 100)
	for {
		n, err := c.Read(b)
		if err != nil {
			return err
		}
		if _, err := c.Write(b[:n]); err != nil {
			return err
		}
	}
}

// One that has been refused and stays is not waited for longer than a second.
func TestRefusedClientThatStaysIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, network := authority(t, "good"), memory.NewNetwork()
		tr := transport(t, network.Host("b"), memoryConfig(t, ca, "b"))
		defer tr.Close()
		l, err := tr.Listen("b:1")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := network.Host("a").Dial(t.Context(), "b:1")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte("not what is expected"))
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer accepted.Close()
		begun := time.Now()
		_, err = accepted.Read(make([]byte, 1))
		checkRefusal(t, err, secure.ErrPlaintext, false)
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it took %v", took)
		}
		_, err = accepted.Write([]byte("more")) // and again
		checkRefusal(t, err, secure.ErrPlaintext, false)
		checkCounted(t, tr.Stats(), secure.ErrPlaintext)
	})
}

// A server that never answers costs the dialler its ctx and no more.
func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, network := authority(t, "good"), memory.NewNetwork()
		l, err := network.Host("b").Listen("b:1")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		tr := transport(t, network.Host("a"), memoryConfig(t, ca, "a"))
		defer tr.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := tr.Dial(ctx, "b:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
