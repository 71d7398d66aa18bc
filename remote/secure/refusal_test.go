package secure_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/topos-go/topos/remote/secure"
)

// world has an authority, and another one that nobody trusts.
type world struct {
	good, evil *secure.Authority
}

func newWorld(t testing.TB) *world {
	return &world{authority(t, "good"), authority(t, "evil")}
}

// client is what a client of these authorities' that is not ours says.
func (w *world) client(certs ...tls.Certificate) *tls.Config {
	return &tls.Config{
		RootCAs: secure.Pool(w.good), ServerName: "127.0.0.1", NextProtos: []string{secure.Protocol},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(certs) == 0 {
				return new(tls.Certificate), nil
			}
			return &certs[0], nil
		},
	}
}

// wrongUsage is a certificate for servers only.
func (w *world) wrongUsage(t *testing.T) tls.Certificate {
	pair, err := w.good.Pair()
	if err != nil {
		t.Fatal(err)
	}
	node := certificate(t, issue(t, w.good, request("127.0.0.1")))
	return sign(t, certificate(t, pair), node, x509.ExtKeyUsageServerAuth)
}

// sign makes a certificate for 127.0.0.1, with the key of node, that by has
// signed.
func sign(t *testing.T, by, node tls.Certificate, usage ...x509.ExtKeyUsage) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: usage, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.Leaf, node.Leaf.PublicKey, by.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: node.PrivateKey}
}

// lifetime is a request for a certificate that is valid between two times from
// now.
func lifetime(from, to time.Duration) secure.Request {
	return secure.Request{Hosts: []string{"127.0.0.1"}, From: time.Now().Add(from), Validity: to - from}
}

func TestServerRefusesClientsAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	good := certificate(t, issue(t, w.good, request("127.0.0.1")))
	for _, test := range []struct {
		name   string
		cert   []tls.Certificate
		change func(*tls.Config)
		want   error
	}{
		{"no certificate", nil, nil, secure.ErrNoCertificate},
		{"expired", []tls.Certificate{certificate(t, issue(t, w.good, lifetime(-2*time.Hour, -time.Hour)))}, nil, secure.ErrExpired},
		{"not yet valid", []tls.Certificate{certificate(t, issue(t, w.good, lifetime(time.Hour, 2*time.Hour)))}, nil, secure.ErrExpired},
		{"wrong authority", []tls.Certificate{certificate(t, issue(t, w.evil, request("127.0.0.1")))}, nil, secure.ErrAuthority},
		{"wrong usage", []tls.Certificate{w.wrongUsage(t)}, nil, secure.ErrCertificate},
		{"TLS 1.2", []tls.Certificate{good}, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, secure.ErrVersion},
		{"another protocol", []tls.Certificate{good}, func(c *tls.Config) { c.NextProtos = []string{"h2"} }, secure.ErrProtocol},
		{"no protocol", []tls.Certificate{good}, func(c *tls.Config) { c.NextProtos = nil }, secure.ErrProtocol},
	} {
		t.Run(test.name, func(t *testing.T) {
			handle, errs := reader()
			s := serve(t, transport(t, tcp{}, memoryConfig(t, w.good, "127.0.0.1")), handle)
			cfg := w.client(test.cert...)
			if test.change != nil {
				test.change(cfg)
			}
			c, err := tls.Dial("tcp", s.addr, cfg)
			if err == nil {
				_, err = c.Read(make([]byte, 1))
				c.Close()
			}
			if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "remote error" {
				t.Errorf("the client was not told why: %v", err)
			}
			checkRefusal(t, receive(t, errs), test.want, false)
			checkCounted(t, s.Stats(), test.want)
		})
	}
}

func TestServerRefusesWhatIsNotTLS(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		name, sent string
		want       error
	}{
		{"a node without TLS", "\x01\x00\x00\x20\x00\x00\x00\x00" + string(make([]byte, 32)), secure.ErrPlaintext},
		{"a browser", "GET / HTTP/1.1\r\n\r\n", secure.ErrPlaintext},
		{"a broken hello", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff", secure.ErrMalformed},
		{"an oversized record", "\x16\x03\x01\xff\xff" + string(make([]byte, 100)), secure.ErrMalformed},
		{"another message first", "\x16\x03\x01\x00\x04\x14\x00\x00\x00", secure.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			handle, errs := reader()
			s := serve(t, transport(t, tcp{}, memoryConfig(t, w.good, "127.0.0.1")), handle)
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(c, test.sent); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, c); err != nil { // to the end that the server makes
				t.Error(err)
			}
			c.Close()
			checkRefusal(t, receive(t, errs), test.want, false)
			checkCounted(t, s.Stats(), test.want)
		})
	}
}

func TestDialRefusesServersBeforeItSaysAnything(t *testing.T) {
	w := newWorld(t)
	good := certificate(t, issue(t, w.good, request("127.0.0.1")))
	for _, test := range []struct {
		name   string
		cert   tls.Certificate
		change func(*tls.Config)
		want   error
		remote bool
	}{
		{"expired", certificate(t, issue(t, w.good, lifetime(-2*time.Hour, -time.Hour))), nil, secure.ErrExpired, false},
		{"wrong authority", certificate(t, issue(t, w.evil, request("127.0.0.1"))), nil, secure.ErrAuthority, false},
		{"wrong address", certificate(t, issue(t, w.good, request("127.0.0.2"))), nil, secure.ErrName, false},
		{"a name and no address", certificate(t, issue(t, w.good, request("localhost"))), nil, secure.ErrName, false},
		{"TLS 1.2", good, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, secure.ErrVersion, true},
		{"another protocol", good, func(c *tls.Config) { c.NextProtos = []string{"h2"} }, secure.ErrProtocol, true},
		{"no protocol", good, func(c *tls.Config) { c.NextProtos = nil }, secure.ErrProtocol, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := &tls.Config{Certificates: []tls.Certificate{test.cert}, NextProtos: []string{secure.Protocol}, ClientAuth: tls.RequireAnyClientCert}
			if test.change != nil {
				test.change(cfg)
			}
			l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
			if err != nil {
				t.Fatal(err)
			}
			got := make(chan []byte, 1)
			addr := acceptAll(t, l, func(c net.Conn) {
				b, _ := io.ReadAll(c)
				got <- b
			})
			tr := transport(t, tcp{}, memoryConfig(t, w.good, "127.0.0.1"))
			_, err = dial(t, tr, addr)
			checkRefusal(t, err, test.want, test.remote)
			if test.remote {
				if n := tr.Stats().RefusedByPeer; n != 1 {
					t.Errorf("%d were refused by others", n)
				}
			} else {
				checkCounted(t, tr.Stats(), test.want)
			}
			if b := receive(t, got); len(b) > 0 {
				t.Errorf("it said %q", b)
			}
		})
	}
}

func TestDialRefusesServerWithoutTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := acceptAll(t, l, func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example ESMTP\r\n") })
	tr := transport(t, tcp{}, memoryConfig(t, authority(t, "good"), "127.0.0.1"))
	_, err = dial(t, tr, addr)
	checkRefusal(t, err, secure.ErrPlaintext, false)
	checkCounted(t, tr.Stats(), secure.ErrPlaintext)
}

// The side that dials has finished before the other one refuses, and has said
// something by then. It learns the reason all the same: what it has said is read,
// because the kernel would otherwise reset the connection.
func TestDiallerReadsWhyItWasRefused(t *testing.T) {
	const rounds, said = 10, 16 << 10
	w := newWorld(t)
	handle, errs := reader()
	meter := new(gauge)
	s := serve(t, transport(t, meter, memoryConfig(t, w.good, "127.0.0.1")), handle)
	cfg := memoryConfig(t, w.evil, "127.0.0.1")
	cfg.Roots = func() (*x509.CertPool, error) { return secure.Pool(w.evil, w.good), nil }
	tr := transport(t, tcp{}, cfg)
	for range rounds {
		c := mustDial(t, tr, s.addr)
		if _, err := c.Write(make([]byte, said)); err != nil {
			t.Fatal(err)
		}
		_, err := c.Read(make([]byte, 1))
		checkRefusal(t, err, secure.ErrAuthority, true)
		c.Close()
		checkRefusal(t, receive(t, errs), secure.ErrAuthority, false)
	}
	if n := meter.read.Load(); n < rounds*said {
		t.Errorf("only %d bytes were read", n)
	}
	if n := tr.Stats().RefusedByPeer; n != rounds {
		t.Errorf("%d were refused by others", n)
	}
}

func TestServerLearnsThatItIsRefused(t *testing.T) {
	w := newWorld(t)
	handle, errs := reader()
	cfg := memoryConfig(t, w.evil, "127.0.0.1")
	cfg.Roots = func() (*x509.CertPool, error) { return secure.Pool(w.evil, w.good), nil }
	s := serve(t, transport(t, tcp{}, cfg), handle)
	_, err := dial(t, transport(t, tcp{}, memoryConfig(t, w.good, "127.0.0.1")), s.addr)
	checkRefusal(t, err, secure.ErrAuthority, false)
	checkRefusal(t, receive(t, errs), secure.ErrCertificate, true)
	if n := s.Stats().RefusedByPeer; n != 1 {
		t.Errorf("%d were refused by others", n)
	}
}

// What the network does is not a refusal, and stays what it is.
func TestNetworkErrorsAreNoRefusals(t *testing.T) {
	handle, errs := reader()
	s := serve(t, transport(t, tcp{}, memoryConfig(t, authority(t, "good"), "127.0.0.1")), handle)
	for range 3 {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if err := receive(t, errs); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	}
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "\x16\x03\x01\x01\x00\x01")
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
	err = receive(t, errs)
	if _, refused := errors.AsType[*secure.HandshakeError](err); refused || err == nil {
		t.Errorf("got %v", err)
	}
	for _, r := range s.Stats().Refused {
		if r.Count > 0 {
			t.Errorf("%d were refused with: %v", r.Count, r.Reason)
		}
	}
}
