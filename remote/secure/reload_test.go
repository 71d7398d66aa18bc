package secure_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/remote/secure"
)

// folder has the files of one node.
type folder struct {
	t    testing.TB
	path string
}

func newFolder(t testing.TB, p *secure.Pair, authorities ...*secure.Authority) *folder {
	f := &folder{t, t.TempDir()}
	f.pair(p)
	f.authorities(authorities...)
	return f
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

func (f *folder) config() secure.Config {
	return secure.Config{CertFile: f.file("tls.crt"), KeyFile: f.file("tls.key"), CAFile: f.file("ca.crt")}
}

func (f *folder) pair(p *secure.Pair) {
	f.t.Helper()
	if err := p.WriteFiles(f.file("tls.crt"), f.file("tls.key")); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) authorities(as ...*secure.Authority) {
	var data []byte
	for _, a := range as {
		data = append(data, a.PEM()...)
	}
	f.write("ca.crt", data)
}

func (f *folder) write(name string, data []byte) {
	f.t.Helper()
	if err := secure.WriteFile(f.file(name), data, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func reload(t testing.TB, trs ...*secure.Transport) {
	t.Helper()
	for _, tr := range trs {
		if err := tr.Reload(); err != nil {
			t.Fatal(err)
		}
	}
}

// serials returns the serial number of the certificate that a server shows.
func serials(t testing.TB, tr *secure.Transport, addr string) string {
	t.Helper()
	c := mustDial(t, tr, addr)
	defer c.Close()
	if err := exchange(c); err != nil {
		t.Fatal(err)
	}
	return c.PeerCertificate().SerialNumber.String()
}

func serialOf(t testing.TB, p *secure.Pair) string {
	return certificate(t, p).Leaf.SerialNumber.String()
}

func TestNewCertificateIsForNewConnections(t *testing.T) {
	ca := authority(t, "good")
	old, renewed := issue(t, ca, request("127.0.0.1")), issue(t, ca, request("127.0.0.1"))
	f := newFolder(t, old, ca)
	s := serve(t, transport(t, tcp{}, f.config()), echo)
	client := transport(t, tcp{}, memoryConfig(t, ca, "127.0.0.1"))
	standing := mustDial(t, client, s.addr)
	if err := exchange(standing); err != nil {
		t.Fatal(err)
	}
	reload(t, s.Transport)
	if n := s.Stats().Reloads; n != 0 {
		t.Errorf("%d reloads of nothing new", n)
	}
	f.pair(renewed)
	if got := serials(t, client, s.addr); got != serialOf(t, old) {
		t.Errorf("before the reload, the server shows %v", got)
	}
	reload(t, s.Transport)
	if got := serials(t, client, s.addr); got != serialOf(t, renewed) {
		t.Errorf("after the reload, the server shows %v", got)
	}
	if err := exchange(standing); err != nil {
		t.Errorf("the standing connection: %v", err)
	}
	if stats := s.Stats(); stats.Reloads != 1 || stats.ReloadsFailed != 0 || !stats.Expires.Equal(certificate(t, renewed).Leaf.NotAfter) {
		t.Errorf("got %+v", stats)
	}
}

// Kubernetes mounts links into a directory which is itself a link, and swaps
// that.
func TestSwappedDirectoryIsReloaded(t *testing.T) {
	ca := authority(t, "good")
	old, renewed := issue(t, ca, request("127.0.0.1")), issue(t, ca, request("127.0.0.1"))
	f := &folder{t, t.TempDir()}
	for version, p := range map[string]*secure.Pair{"..1": old, "..2": renewed} {
		if err := os.Mkdir(f.file(version), 0o700); err != nil {
			t.Fatal(err)
		}
		in := &folder{t, f.file(version)}
		in.pair(p)
		in.authorities(ca)
	}
	link := func(to, name string) {
		t.Helper()
		if err := errors.Join(os.Symlink(to, f.file("..new")), os.Rename(f.file("..new"), f.file(name))); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	for _, name := range []string{"tls.crt", "tls.key", "ca.crt"} {
		link("..data/"+name, name)
	}
	s := serve(t, transport(t, tcp{}, f.config()), echo)
	link("..2", "..data")
	reload(t, s.Transport)
	if got := serials(t, transport(t, tcp{}, memoryConfig(t, ca, "127.0.0.1")), s.addr); got != serialOf(t, renewed) {
		t.Errorf("the server shows %v", got)
	}
}

func TestBrokenFilesKeepTheOldCertificate(t *testing.T) {
	w := newWorld(t)
	good := issue(t, w.good, request("127.0.0.1"))
	f := newFolder(t, good, w.good)
	var log bytes.Buffer
	cfg := f.config()
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := serve(t, transport(t, tcp{}, cfg), echo)
	if err := s.Claim(s.addr); err != nil {
		t.Fatal(err)
	}
	client := transport(t, tcp{}, memoryConfig(t, w.good, "127.0.0.1"))
	another := issue(t, w.good, request("127.0.0.1"))
	for i, test := range []struct {
		name  string
		spoil func()
		want  error // if it is ours
	}{
		{"half a certificate", func() { f.write("tls.crt", good.CertPEM[:len(good.CertPEM)/2]) }, nil},
		{"no certificate", func() { f.write("tls.crt", nil) }, nil},
		{"no file", func() { os.Remove(f.file("tls.crt")) }, os.ErrNotExist},
		{"another key", func() { f.write("tls.key", another.KeyPEM) }, nil},
		{"another authority's", func() { f.pair(issue(t, w.evil, request("127.0.0.1"))) }, secure.ErrAuthority},
		{"expired", func() { f.pair(issue(t, w.good, lifetime(-2*time.Hour, -time.Hour))) }, secure.ErrExpired},
		{"not yet valid", func() { f.pair(issue(t, w.good, lifetime(time.Hour, 2*time.Hour))) }, secure.ErrExpired},
		{"another name", func() { f.pair(issue(t, w.good, request("a.example"))) }, secure.ErrName},
		{"without its authority", func() { f.authorities(w.evil) }, secure.ErrAuthority},
		{"half an authority", func() { f.write("ca.crt", append(w.good.PEM(), w.evil.PEM()[:200]...)) }, nil},
		{"no authority", func() { f.write("ca.crt", []byte("# none\n")) }, nil},
		{"a key among authorities", func() { f.write("ca.crt", append(w.good.PEM(), good.KeyPEM...)) }, nil},
	} {
		test.spoil()
		log.Reset()
		for range 2 {
			err := s.Reload()
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s: %v", test.name, err)
			}
			if stats := s.Stats(); !errors.Is(stats.ReloadError, err) || stats.Reloads != 0 {
				t.Errorf("%s: %+v", test.name, stats)
			}
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%s: it was logged %d times: %s", test.name, n, log.String())
		}
		if strings.Contains(log.String(), "PRIVATE KEY-") {
			t.Errorf("%s: the log has a key", test.name)
		}
		if got := serials(t, client, s.addr); got != serialOf(t, good) {
			t.Errorf("%s: the server shows %v", test.name, got)
		}
		f.pair(good)
		f.authorities(w.good)
		reload(t, s.Transport)
		if stats := s.Stats(); stats.ReloadError != nil || stats.ReloadsFailed != uint64(2*i+2) {
			t.Errorf("%s, repaired: %+v", test.name, stats)
		}
	}
}

func TestClaimOfAnotherNameFails(t *testing.T) {
	tr := transport(t, tcp{}, memoryConfig(t, authority(t, "good"), "a.example"))
	if err := tr.Claim("a.example:4000"); err != nil {
		t.Error(err)
	}
	checkRefusal(t, tr.Claim("b.example:4000"), secure.ErrName, false)
}

// rotated is a node in the middle of the rotation of its authority.
type rotated struct {
	*server
	files *folder
}

func TestAuthorityIsReplacedInThreeSteps(t *testing.T) {
	old, next := authority(t, "old"), authority(t, "new")
	var nodes []rotated
	for range 3 {
		f := newFolder(t, issue(t, old, request("127.0.0.1")), old)
		nodes = append(nodes, rotated{serve(t, transport(t, tcp{}, f.config()), echo), f})
	}
	everybodyTalks := func(step string) {
		t.Helper()
		for i, from := range nodes {
			for j, to := range nodes {
				c, err := dial(t, from.Transport, to.addr)
				if err == nil {
					err = exchange(c)
				}
				if err != nil {
					t.Errorf("%s: %d to %d: %v", step, i, j, err)
				}
			}
		}
	}
	for _, step := range []struct {
		name   string
		change func(*folder)
	}{
		{"both authorities", func(f *folder) { f.authorities(old, next) }},
		{"new certificates", func(f *folder) { f.pair(issue(t, next, request("127.0.0.1"))) }},
		{"the new authority only", func(f *folder) { f.authorities(next) }},
	} {
		for _, n := range nodes {
			step.change(n.files)
			reload(t, n.Transport)
			everybodyTalks(step.name)
		}
	}
	// The old one is of no use any more.
	cfg := memoryConfig(t, old, "127.0.0.1")
	_, err := dial(t, transport(t, tcp{}, cfg), nodes[0].addr)
	checkRefusal(t, err, secure.ErrAuthority, false)
}

func TestConnectionsGoOnWhileCertificatesChange(t *testing.T) {
	ca := authority(t, "good")
	f, g := newFolder(t, issue(t, ca, request("127.0.0.1")), ca), newFolder(t, issue(t, ca, request("127.0.0.1")), ca)
	s := serve(t, transport(t, tcp{}, f.config()), echo)
	client := transport(t, tcp{}, g.config())
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		standing := mustDial(t, client, s.addr)
		wg.Go(func() {
			for {
				if err := exchange(standing); err != nil {
					t.Errorf("a standing connection: %v", err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
		wg.Go(func() {
			for {
				c, err := client.Dial(t.Context(), s.addr)
				if err != nil {
					t.Errorf("dialling: %v", err)
					return
				}
				err = exchange(c)
				c.Close()
				if err != nil {
					t.Errorf("a new connection: %v", err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	const rounds = 20
	for range rounds {
		f.pair(issue(t, ca, request("127.0.0.1")))
		g.pair(issue(t, ca, request("127.0.0.1")))
		wg.Go(func() { _ = s.Reload() }) // perhaps between the two files of the next round
		reload(t, s.Transport, client)
	}
	close(done)
	wg.Wait()
	if n := client.Stats().Reloads; n != rounds {
		t.Errorf("%d reloads", n)
	}
}

func TestFilesAreReadAgainInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := authority(t, "good")
		f := newFolder(t, issue(t, ca, request("127.0.0.1")), ca)
		cfg := f.config()
		cfg.Reload = 10 * time.Second
		tr := transport(t, tcp{}, cfg)
		f.pair(issue(t, ca, request("127.0.0.1")))
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if n := tr.Stats().Reloads; n != 0 {
			t.Errorf("%d reloads too early", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := tr.Stats().Reloads; n != 1 {
			t.Errorf("%d reloads", n)
		}
		tr.Close()
		f.pair(issue(t, ca, request("127.0.0.1")))
		time.Sleep(time.Hour)
		if n := tr.Stats().Reloads; n != 1 {
			t.Errorf("%d reloads after Close", n)
		}
	})
}

func TestCertificateOfAnotherKeyIsNotLoaded(t *testing.T) {
	ca := authority(t, "good")
	a, b := certificate(t, issue(t, ca, request("127.0.0.1"))), certificate(t, issue(t, ca, request("127.0.0.1")))
	cfg := memoryConfig(t, ca, "127.0.0.1")
	cfg.Certificate = func() (tls.Certificate, error) {
		return tls.Certificate{Certificate: a.Certificate, PrivateKey: b.PrivateKey}, nil
	}
	if _, err := secure.New(tcp{}, cfg); !errors.Is(err, secure.ErrCertificate) {
		t.Errorf("got %v", err)
	}
}
