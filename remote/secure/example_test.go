package secure_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/secure"
)

// Two nodes talk, each with a certificate of one authority; a third one has got
// its certificate from somebody else.
func Example() {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	dir, err := os.MkdirTemp("", "secure")
	check(err)
	defer os.RemoveAll(dir)
	file := func(name string) string { return filepath.Join(dir, name) }

	// Once, where the authority's key is kept.
	now := time.Now().Add(-time.Minute)
	authority, err := secure.NewAuthority("example", now, 10*365*24*time.Hour)
	check(err)
	check(secure.WriteFile(file("ca.crt"), authority.PEM(), 0o644))
	pair, err := authority.Issue(secure.Request{Name: "a", Hosts: []string{"127.0.0.1"}, From: now, Validity: 24 * time.Hour})
	check(err)
	check(pair.WriteFiles(file("tls.crt"), file("tls.key")))

	// On the node.
	config := secure.Config{CertFile: file("tls.crt"), KeyFile: file("tls.key"), CAFile: file("ca.crt")}
	a, err := secure.New(remote.TCP{}, config)
	check(err)
	defer a.Close()
	listener, err := a.Listen("127.0.0.1:0")
	check(err)
	defer listener.Close()
	addr := listener.Addr().String()
	var served sync.WaitGroup
	served.Go(func() {
		conn, err := listener.Accept()
		check(err)
		defer conn.Close()
		check(conn.(*secure.Conn).VerifyPeer("127.0.0.1:4000")) // as the other node says who it is
		_, err = io.WriteString(conn, "hello, "+conn.(*secure.Conn).PeerCertificate().Subject.CommonName)
		check(err)
	})
	conn, err := a.Dial(context.Background(), addr)
	check(err)
	greeting, err := io.ReadAll(conn)
	fmt.Printf("%s %v\n", greeting, err)
	conn.Close()
	served.Wait()

	// The certificate is renewed every now and then.
	pair, err = authority.Issue(secure.Request{Name: "a", Hosts: []string{"127.0.0.1"}, From: now, Validity: 24 * time.Hour})
	check(err)
	check(pair.WriteFiles(file("tls.crt"), file("tls.key")))
	check(a.Reload()) // or wait for Config.Reload
	fmt.Println("reloads:", a.Stats().Reloads)

	// Somebody else's certificate.
	other, err := secure.NewAuthority("other", now, time.Hour)
	check(err)
	forged, err := other.Issue(secure.Request{Hosts: []string{"127.0.0.1"}, From: now, Validity: time.Minute * 30})
	check(err)
	roots := func() (*x509.CertPool, error) { return secure.Pool(other, authority), nil }
	stranger, err := secure.New(remote.TCP{}, secure.Config{Certificate: forged.Certificate, Roots: roots})
	check(err)
	defer stranger.Close()
	served.Go(func() {
		conn, err := listener.Accept()
		check(err)
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 1)) // the handshake, in vain
	})
	conn, err = stranger.Dial(context.Background(), addr)
	check(err)
	_, err = conn.Read(make([]byte, 1))
	conn.Close()
	served.Wait()
	fmt.Println(errors.Is(err, secure.ErrAuthority), err)
	// Output:
	// hello, a <nil>
	// reloads: 1
	// true secure: certificate signed by unknown authority, says the other side: remote error: tls: unknown certificate authority
}

// tally is a Carrier that counts what it dials.
type tally struct {
	remote.TCP
	dialled int
}

func (c *tally) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c.dialled++
	return c.TCP.Dial(ctx, addr)
}

// Whatever makes connections can be beneath TLS. Nobody listens there here, and
// the carrier's error says so.
func ExampleCarrier() {
	now := time.Now().Add(-time.Minute)
	authority, err := secure.NewAuthority("example", now, 48*time.Hour)
	if err != nil {
		panic(err)
	}
	pair, err := authority.Issue(secure.Request{Hosts: []string{"127.0.0.1"}, From: now, Validity: 24 * time.Hour})
	if err != nil {
		panic(err)
	}
	carrier := new(tally)
	var _ secure.Carrier = carrier
	transport, err := secure.New(carrier, secure.Config{
		Certificate: pair.Certificate,
		Roots:       func() (*x509.CertPool, error) { return secure.Pool(authority), nil },
	})
	if err != nil {
		panic(err)
	}
	defer transport.Close()
	_, err = transport.Dial(context.Background(), "127.0.0.1:1")
	fmt.Println(carrier.dialled, errors.Is(err, syscall.ECONNREFUSED))
	// Output:
	// 1 true
}

// A pair is what a node's folder gets. Only its owner may read the key.
func ExamplePair() {
	dir, err := os.MkdirTemp("", "secure")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	now := time.Now()
	authority, err := secure.NewAuthority("example", now, 48*time.Hour)
	if err != nil {
		panic(err)
	}
	var pair *secure.Pair
	pair, err = authority.Issue(secure.Request{Name: "a", Hosts: []string{"a.example", "10.0.0.7"}, From: now, Validity: time.Hour})
	if err != nil {
		panic(err)
	}
	if err := pair.WriteFiles(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")); err != nil {
		panic(err)
	}
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		info, _ := entry.Info()
		fmt.Println(info.Mode(), info.Name())
	}
	// Output:
	// -rw-r--r-- tls.crt
	// -rw------- tls.key
}
