package secure

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Carrier makes the connections beneath TLS. remote.TCP is one, and so is every
// other remote.Transport.
type Carrier interface {
	Dial(ctx context.Context, addr string) (net.Conn, error)
	Listen(addr string) (net.Listener, error)
}

// Transport is TLS over a [Carrier], and is itself one: a remote.Transport. It is
// made by [New] and must be closed. Its methods may be called by any goroutine.
type Transport struct {
	over    Carrier
	cfg     Config
	current atomic.Pointer[identity]
	count   counters
	blocks  sync.Pool // of *[]byte, blockSize long

	loading chan struct{} // holds an element while somebody loads
	// Of whoever is loading.
	claimed  string // the host of this node, once it is known
	reported string // the last failure in the log
	warned   stage  // how far the end of the certificate has been told of

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New loads certificates and authorities. Errors are all mistakes in cfg, or why
// they cannot be loaded or would not be accepted by other nodes.
func New(over Carrier, cfg Config) (*Transport, error) {
	cfg.setDefaults()
	if err := cfg.valid(); err != nil {
		return nil, err
	}
	id, err := load(&cfg, time.Now())
	if err != nil {
		return nil, err
	}
	t := &Transport{over: over, cfg: cfg, loading: make(chan struct{}, 1)}
	t.count.refused = make([]atomic.Uint64, len(reasons))
	t.blocks.New = func() any { b := make([]byte, blockSize); return &b }
	t.current.Store(id)
	t.remind(time.Now())
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	t.wg.Go(func() { t.poll(ctx) })
	return t, nil
}

// Close ends the reloading of certificates. Listeners and connections stay.
func (t *Transport) Close() error {
	t.cancel()
	t.wg.Wait()
	return nil
}

// Dial connects to addr, "host:port", and returns a *[Conn] whose other side has
// proven to be at this host. Errors are the carrier's, as they are, and those of
// the handshake, which ends with ctx.
func (t *Transport) Dial(ctx context.Context, addr string) (net.Conn, error) {
	raw, err := t.over.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return t.Client(ctx, raw, addr)
}

// Client is Dial over a connection that leads to addr already. It is closed if there
// is an error.
func (t *Transport) Client(ctx context.Context, raw net.Conn, addr string) (net.Conn, error) {
	c := t.newConn(raw, true)
	c.tls = tls.Client(c.socket, t.clientConfig(t.current.Load(), hostOf(addr)))
	if err := c.Handshake(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// Claim says that this side is the node at addr, "host:port" or a host. The error,
// which wraps [ErrName], says that its certificate is for another: no node would
// accept it. From then on a certificate that is for another host is not loaded
// either.
func (t *Transport) Claim(addr string) error {
	t.loading <- struct{}{}
	defer func() { <-t.loading }()
	t.claimed = hostOf(addr)
	return t.verifyName(t.current.Load().cert.Leaf, t.claimed)
}

// Listen listens at addr. What the listener accepts is a *[Conn] that has not
// begun its handshake: see [Conn.Handshake].
func (t *Transport) Listen(addr string) (net.Listener, error) {
	l, err := t.over.Listen(addr)
	if err != nil {
		return nil, err
	}
	return &listener{l, t}, nil
}

// listener accepts connections beneath TLS.
type listener struct {
	net.Listener
	transport *Transport
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.transport.Server(raw), nil
}

// Server returns raw as a listener would that had accepted it.
func (t *Transport) Server(raw net.Conn) net.Conn {
	c := t.newConn(raw, false)
	c.tls = tls.Server(c.socket, &tls.Config{GetConfigForClient: c.greeted, MinVersion: tls.VersionTLS13})
	return c
}

// clientConfig is how to dial host.
func (t *Transport) clientConfig(id *identity, host string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{Protocol},
		ServerName: host,
		// It is verifyServer that verifies, chain and name: crypto/tls knows
		// no other names than the host's.
		InsecureSkipVerify: true,
		VerifyConnection:   func(state tls.ConnectionState) error { return t.verifyServer(&state, id, host) },
		// This one whatever the authorities that the server names, so that the
		// server says what it has against it.
		GetClientCertificate:        func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &id.cert, nil },
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true, // lanes write what has gathered
	}
}

// serverConfig is how to accept.
func (t *Transport) serverConfig(id *identity) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{Protocol},
		Certificates: []tls.Certificate{id.cert},
		// A missing certificate is for verifyClient to refuse, which has an
		// error for it.
		ClientAuth:                  tls.VerifyClientCertIfGiven,
		ClientCAs:                   id.roots,
		VerifyConnection:            func(state tls.ConnectionState) error { return t.verifyClient(&state) },
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}
}
