package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// verifyChain verifies that chain leads from its first certificate to one of
// roots.
func verifyChain(chain []*x509.Certificate, roots *x509.CertPool, usage x509.ExtKeyUsage, now time.Time) error {
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		KeyUsages:     []x509.ExtKeyUsage{usage},
		CurrentTime:   now,
	})
	return err
}

// verifyServer is what the side that dials wants of the other one, at host.
func (t *Transport) verifyServer(state *tls.ConnectionState, id *identity, host string) error {
	if state.NegotiatedProtocol != Protocol {
		return &HandshakeError{Reason: ErrProtocol, Err: fmt.Errorf("the server says %q", state.NegotiatedProtocol)}
	}
	if len(state.PeerCertificates) == 0 {
		return &HandshakeError{Reason: ErrNoCertificate}
	}
	if err := verifyChain(state.PeerCertificates, id.roots, x509.ExtKeyUsageServerAuth, time.Now()); err != nil {
		return &HandshakeError{Reason: flaw(err), Err: err}
	}
	return t.verifyName(state.PeerCertificates[0], host)
}

// verifyClient is what the side that accepts wants of the other one, whose chain
// crypto/tls has verified, and whose host it does not know yet.
func (t *Transport) verifyClient(state *tls.ConnectionState) error {
	if state.NegotiatedProtocol != Protocol {
		return &HandshakeError{Reason: ErrProtocol, Err: fmt.Errorf("the client says %q", state.NegotiatedProtocol)}
	}
	if len(state.PeerCertificates) == 0 {
		return &HandshakeError{Reason: ErrNoCertificate}
	}
	if len(t.cfg.Names) > 0 {
		return t.verifyName(state.PeerCertificates[0], "")
	}
	return nil
}

// verifyName decides whether a certificate is for a node at host.
func (t *Transport) verifyName(leaf *x509.Certificate, host string) error {
	var err error
	switch {
	case t.cfg.VerifyName != nil:
		err = t.cfg.VerifyName(leaf, host)
	case len(t.cfg.Names) > 0:
		err = carriesOne(leaf, t.cfg.Names)
	default:
		err = leaf.VerifyHostname(host)
	}
	if err != nil {
		return &HandshakeError{Reason: ErrName, Err: err}
	}
	return nil
}

// carriesOne reports why leaf is for none of names.
func carriesOne(leaf *x509.Certificate, names []string) error {
	var errs []error
	for _, name := range names {
		err := leaf.VerifyHostname(name)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// hostOf returns the host in "host:port", without the zone, which means
// something on one machine only and is in no certificate.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	host, _, _ = strings.Cut(host, "%")
	return host
}
