package remote

import (
	"errors"
	"net"

	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/secure"
)

// secured puts TLS on c.Transport, if c says so.
func (c *Config) secured() (*secure.Transport, error) {
	if c.TLS == nil {
		return nil, nil
	}
	cfg := *c.TLS
	if cfg.Logger == nil {
		cfg.Logger = c.Logger
	}
	tls, err := secure.New(c.Transport, cfg)
	if err == nil {
		c.Transport = tls
	}
	return tls, err
}

// ReloadTLS looks at the certificates' files now instead of at the next of the
// regular times. The error says why what is there is not used; without
// Config.TLS there is none.
func (n *Node) ReloadTLS() error {
	if n.tls == nil {
		return nil
	}
	return n.tls.Reload()
}

// TLSStats are the counts of TLS and when the node's certificate ends; zero
// without Config.TLS.
func (n *Node) TLSStats() secure.Stats {
	if n.tls == nil {
		return secure.Stats{}
	}
	return n.tls.Stats()
}

// vouch checks that the certificate of an accepted connection is for who the
// other side has turned out to be.
func vouch(conn net.Conn, from handshake.Peer) error {
	if c, ok := conn.(interface{ VerifyPeer(addr string) error }); ok {
		return c.VerifyPeer(addrOf(from.Node.Name))
	}
	return nil
}

// untrusted reports whether err is about certificates: somebody must change
// something.
func untrusted(err error) bool {
	var refused *secure.HandshakeError
	return errors.As(err, &refused)
}

// buffersWriter is a connection that writes several buffers better than one by
// one, as TLS does.
type buffersWriter interface {
	WriteBuffers(bufs *net.Buffers) (int64, error)
}
