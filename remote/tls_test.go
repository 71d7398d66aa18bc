package remote_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/secure"
)

// issuer gives the nodes of a test their certificates.
type issuer struct {
	t  *testing.T
	ca *secure.Authority
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	ca, err := secure.NewAuthority("test", time.Now().Add(-time.Hour), 1000*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{t, ca}
}

func (i *issuer) pair(hosts ...string) *secure.Pair {
	i.t.Helper()
	p, err := i.ca.Issue(secure.Request{Name: "node", Hosts: hosts, From: time.Now().Add(-time.Hour), Validity: 100 * time.Hour})
	if err != nil {
		i.t.Fatal(err)
	}
	return p
}

// config is a node's that is at hosts, as its certificate says.
func (i *issuer) config(hosts ...string) *secure.Config {
	return &secure.Config{
		Certificate: i.pair(hosts...).Certificate,
		Roots:       func() (*x509.CertPool, error) { return secure.Pool(i.ca), nil },
	}
}

// startTLS starts a node with a certificate for its own host.
func (w *world) startTLS(i *issuer, name string, join ...*host) *host {
	cfg := w.config(name, join...)
	cfg.TLS = i.config(name)
	return start(w.T, cfg)
}

func TestNodesWithCertificatesTalkAndLoseNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		i := newIssuer(t)
		a := w.startTLS(i, "a")
		b := w.startTLS(i, "b", a)
		meet(t, a, b)
		var l log
		pid := a.spawn(t, l.actor())
		echo := a.spawn(t, &counter{})
		for k := range 300 {
			if k%50 == 0 {
				w.net.Cut("a", "b")
			}
			if err := b.sys.Send(pid, Add{k}); err != nil {
				t.Fatal(err)
			}
			data := bytes.Repeat([]byte{byte(k)}, k*500)
			got, err := actor.Call[[]byte](t.Context(), b.sys, echo, data)
			if !bytes.Equal(got, data) || err != nil {
				t.Fatalf("call %d: %d bytes, %v", k, len(got), err)
			}
		}
		if seen := l.read(); len(seen) != 300 || !slices.IsSorted(seen) {
			t.Errorf("%d messages arrived", len(seen))
		}
		if s := a.TLSStats(); s.Accepted+s.Dialled < 5 {
			t.Errorf("%+v", s)
		}
	})
}

// It has a certificate of the authority and knows the secret, and says that it
// is at another host than its certificate.
func TestNodeAtAnotherHostThanItsCertificateIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		i := newIssuer(t)
		a := w.startTLS(i, "a")
		cfg := w.config("b", a)
		cfg.TLS = i.config("c")
		if _, err := remote.New(cfg); !errors.Is(err, secure.ErrName) {
			t.Errorf("it has not noticed by itself: %v", err)
		}
		cfg.TLS.VerifyName = func(*x509.Certificate, string) error { return nil } // it looks away
		b := start(t, cfg)
		w.pass(time.Minute)
		a.quiet(t)
		b.quiet(t)
		if a.Stats().Refused == 0 || a.TLSStats().Accepted == 0 {
			t.Errorf("it was not tried: %+v", a.TLSStats())
		}
	})
}

func TestNodeWithoutTLSDoesNotJoinOneWithIt(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		i := newIssuer(t)
		a := w.startTLS(i, "a")
		plain := w.start("plain", a)
		other := w.startTLS(i, "other", plain)
		w.pass(time.Minute)
		for _, h := range []*host{a, plain, other} {
			h.quiet(t)
		}
	})
}

func TestCertificateIsReplacedWhileTheNodeRuns(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		i := newIssuer(t)
		var current atomic.Pointer[secure.Pair]
		current.Store(i.pair("a"))
		cfg := w.config("a")
		cfg.TLS = i.config("a")
		cfg.TLS.Certificate = func() (tls.Certificate, error) { return current.Load().Certificate() }
		a := start(t, cfg)
		b := w.startTLS(i, "b", a)
		meet(t, a, b)
		until := a.TLSStats().Expires
		w.pass(time.Minute)
		current.Store(i.pair("elsewhere"))
		if err := a.ReloadTLS(); !errors.Is(err, secure.ErrName) {
			t.Errorf("a certificate for another host: %v", err)
		}
		current.Store(i.pair("a"))
		if err := a.ReloadTLS(); err != nil || !a.TLSStats().Expires.After(until) {
			t.Errorf("%v; good until %v", err, a.TLSStats().Expires)
		}
		a.quiet(t)
		w.net.Cut("a", "b") // connections are made with the new one
		pid := a.spawn(t, &counter{n: 3})
		if n, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestMistakesOfTheCertificatesAreReportedWithTheOthers(t *testing.T) {
	cfg := config("a b")
	cfg.TLS = &secure.Config{CertFile: "nowhere.crt"}
	_, err := remote.New(cfg)
	for _, want := range []string{"Name", "KeyFile", "CAFile"} {
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("nothing about %s in %v", want, err)
		}
	}
}
