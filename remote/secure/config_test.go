package secure_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/topos-go/topos/remote/secure"
)

func TestConfigIsRefusedWithAllItsMistakes(t *testing.T) {
	certificate := func() (tls.Certificate, error) { return tls.Certificate{}, nil }
	roots := func() (*x509.CertPool, error) { return nil, nil }
	verify := func(*x509.Certificate, string) error { return nil }
	for _, test := range []struct {
		cfg  secure.Config
		want []string
	}{
		{secure.Config{}, []string{"CertFile and KeyFile are missing", "CAFile is missing"}},
		{secure.Config{KeyFile: "k", CAFile: "c"}, []string{"CertFile is missing"}},
		{secure.Config{CertFile: "c", CAFile: "c"}, []string{"KeyFile is missing"}},
		{secure.Config{CertFile: "c", KeyFile: "k", Certificate: certificate, CAFile: "c", Roots: roots},
			[]string{"Certificate too", "Roots too"}},
		{secure.Config{Reload: -1, Names: []string{"a", ""}, VerifyName: verify},
			[]string{"CertFile and KeyFile are missing", "CAFile is missing", "Reload -1ns is negative", "Names[1] is empty", "VerifyName too"}},
	} {
		_, err := secure.New(tcp{}, test.cfg)
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok || len(joined.Unwrap()) != len(test.want) {
			t.Errorf("want %q, got %v", test.want, err)
			continue
		}
		for i, e := range joined.Unwrap() {
			if !strings.HasPrefix(e.Error(), "secure: Config.") || !strings.Contains(e.Error(), test.want[i]) {
				t.Errorf("want %q, got %v", test.want[i], e)
			}
		}
	}
}

func TestNothingToLoadIsAnErrorAtOnce(t *testing.T) {
	_, err := secure.New(tcp{}, (&folder{t, t.TempDir()}).config())
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "tls.crt") || !strings.Contains(err.Error(), "ca.crt") {
		t.Errorf("got %v", err)
	}
	ca, errVault := authority(t, "good"), errors.New("test: the vault is shut")
	for name, change := range map[string]func(*secure.Config){
		"no certificate": func(c *secure.Config) {
			c.Certificate = func() (tls.Certificate, error) { return tls.Certificate{}, errVault }
		},
		"no authorities": func(c *secure.Config) { c.Roots = func() (*x509.CertPool, error) { return nil, errVault } },
	} {
		cfg := memoryConfig(t, ca, "127.0.0.1")
		change(&cfg)
		if _, err := secure.New(tcp{}, cfg); !errors.Is(err, errVault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := memoryConfig(t, ca, "127.0.0.1")
	cfg.Roots = func() (*x509.CertPool, error) { return nil, nil }
	if _, err := secure.New(tcp{}, cfg); err == nil {
		t.Error("the authorities of the operating system count")
	}
	cfg = memoryConfig(t, ca, "127.0.0.1")
	cfg.Certificate = func() (tls.Certificate, error) { return tls.Certificate{}, nil }
	if _, err := secure.New(tcp{}, cfg); !errors.Is(err, secure.ErrNoCertificate) {
		t.Errorf("got %v", err)
	}
}

// A node that nobody would accept does not start.
func TestOwnCertificateIsVerifiedFirst(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		pair *secure.Pair
		want error
	}{
		"expired":           {issue(t, w.good, lifetime(-200, -100)), secure.ErrExpired},
		"another authority": {issue(t, w.evil, request("127.0.0.1")), secure.ErrAuthority},
	} {
		f := newFolder(t, test.pair, w.good)
		if _, err := secure.New(tcp{}, f.config()); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := memoryConfig(t, w.good, "127.0.0.1")
	cert := w.wrongUsage(t)
	cfg.Certificate = func() (tls.Certificate, error) { return cert, nil }
	if _, err := secure.New(tcp{}, cfg); !errors.Is(err, secure.ErrCertificate) {
		t.Errorf("for servers only: %v", err)
	}
}

func TestFileIsReplacedWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ca.crt")
	for _, data := range []string{"first", "the second"} {
		if err := secure.WriteFile(name, []byte(data), 0o640); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); string(got) != data || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("got %v, %v", info, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, impossible := range []string{filepath.Join(dir, "taken"), filepath.Join(dir, "none", "ca.crt")} {
		if err := secure.WriteFile(impossible, nil, 0o600); err == nil {
			t.Errorf("%s was written", impossible)
		}
	}
	if left, err := os.ReadDir(dir); len(left) != 2 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}
