package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// settleTime and settleBytes bound how long a refused connection is kept
	// for the other side to read why.
	settleTime  = time.Second
	settleBytes = 64 << 10
)

// Conn is a connection with TLS. [Transport.Dial] and the listeners of
// [Transport.Listen] return it as a net.Conn. As with every net.Conn, its
// methods may be called by any goroutine.
//
// After a Write has met its deadline, nothing can be written any more.
type Conn struct {
	transport *Transport
	socket    *socket
	tls       *tls.Conn
	dialled   bool

	offered offered // of the goroutine that does the handshake
	ready   atomic.Bool
	refused atomic.Bool // a refusal has been accounted for
	heard   atomic.Bool // something has come from the other side
}

func (t *Transport) newConn(raw net.Conn, dialled bool) *Conn {
	return &Conn{transport: t, socket: &socket{Conn: raw}, dialled: dialled}
}

// greeted chooses how to answer a client.
func (c *Conn) greeted(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c.offered = offered{known: true, versions: hello.SupportedVersions, protocols: hello.SupportedProtos}
	return c.transport.serverConfig(c.transport.current.Load()), nil
}

// Handshake does the handshake, unless that has been done: it ends with ctx or
// the connection's deadline, and the connection with it. Read and Write do the
// same without ctx. What it returns is a [*HandshakeError] if the connection was
// refused, and otherwise the network's.
func (c *Conn) Handshake(ctx context.Context) error {
	if c.ready.Load() {
		return nil
	}
	if err := c.tls.HandshakeContext(ctx); err != nil {
		return c.failed(err)
	}
	if c.ready.CompareAndSwap(false, true) {
		if c.dialled {
			c.transport.count.dialled.Add(1)
		} else {
			c.transport.count.accepted.Add(1)
		}
	}
	return nil
}

// failed accounts for a handshake in vain and says why it was.
func (c *Conn) failed(err error) error {
	err = refusal(err, c.offered)
	if refused, ok := err.(*HandshakeError); ok && c.refused.CompareAndSwap(false, true) {
		c.transport.count.refuse(err)
		if !refused.Remote && !c.dialled {
			c.settle()
		}
	}
	return err
}

// settle waits for the other side to go, for a moment: the kernel resets a
// connection that is closed with something unread, and with that it would be
// lost what the other side is told. It has sent the beginning of what it has to
// say along with its certificate.
func (c *Conn) settle() {
	half, ok := c.socket.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	closed := make(chan struct{})
	enough := time.AfterFunc(settleTime, func() {
		c.socket.Close()
		close(closed)
	})
	_, _ = io.CopyN(io.Discard, c.socket, settleBytes)
	if !enough.Stop() {
		<-closed
	}
}

// VerifyPeer decides whether the other side's certificate may be used by a node
// at addr, "host:port" or a host: see Config.Names. The side that accepts must
// ask when it has learned who the other one says it is; the side that dials has
// been answered by Dial. A certificate that may not be used is a
// [*HandshakeError] with ErrName, and it is for the caller to close the
// connection. VerifyPeer does the handshake if need be.
func (c *Conn) VerifyPeer(addr string) error {
	if err := c.Handshake(context.Background()); err != nil {
		return err
	}
	err := c.transport.verifyName(c.PeerCertificate(), hostOf(addr))
	if err != nil {
		c.transport.count.refuse(err)
	}
	return err
}

// PeerCertificate returns the other side's certificate, which must not be
// changed; nil before the handshake.
func (c *Conn) PeerCertificate() *x509.Certificate {
	if !c.ready.Load() {
		return nil
	}
	return c.tls.ConnectionState().PeerCertificates[0]
}

// Read reads what the other side has written. On a connection that was dialled,
// the first error may be a [*HandshakeError]: the other side has refused. EOF
// does not prove that the other side has said all it had to say.
func (c *Conn) Read(b []byte) (int, error) {
	if err := c.Handshake(context.Background()); err != nil {
		return 0, err
	}
	n, err := c.tls.Read(b)
	if n > 0 && !c.heard.Load() {
		c.heard.Store(true)
	}
	if err != nil && !c.heard.Load() && told(err) != nil {
		return n, c.failed(err)
	}
	return n, err
}

// Write writes b. A write that was accepted may meet a refusal, which the next
// Read tells.
func (c *Conn) Write(b []byte) (int, error) {
	if err := c.Handshake(context.Background()); err != nil {
		return 0, err
	}
	return c.tls.Write(b)
}

// CloseWrite tells the other side that nothing more will be written: its Read
// returns io.EOF after what is under way. The TCP connection stays whole until
// Close. It waits for room for a few bytes, five seconds at most.
func (c *Conn) CloseWrite() error { return c.tls.CloseWrite() }

// Close closes the connection, also under a Read, a Write or a handshake, which
// fail then. It does not wait for the other side, a tenth of a second for room in
// the socket at most.
func (c *Conn) Close() error {
	c.socket.hasten()
	return c.tls.Close()
}

// NetConn returns the connection beneath TLS, for what options it has. It must
// neither be read nor written.
func (c *Conn) NetConn() net.Conn { return c.socket.Conn }

// LocalAddr returns the address of this side.
func (c *Conn) LocalAddr() net.Addr { return c.socket.LocalAddr() }

// RemoteAddr returns the address of the other side.
func (c *Conn) RemoteAddr() net.Addr { return c.socket.RemoteAddr() }

// SetDeadline bounds reading, writing and the handshake.
func (c *Conn) SetDeadline(at time.Time) error { return c.tls.SetDeadline(at) }

// SetReadDeadline bounds reading.
func (c *Conn) SetReadDeadline(at time.Time) error { return c.tls.SetReadDeadline(at) }

// SetWriteDeadline bounds writing.
func (c *Conn) SetWriteDeadline(at time.Time) error { return c.tls.SetWriteDeadline(at) }
