package secure

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// identity is who this side is and whom it trusts, at one time. It does not
// change.
type identity struct {
	cert  tls.Certificate // Leaf is set
	roots *x509.CertPool
}

func (id *identity) equal(other *identity) bool {
	return slices.EqualFunc(id.cert.Certificate, other.cert.Certificate, bytes.Equal) && id.roots.Equal(other.roots)
}

// load reads what c says. An error means that no other node would accept it, or
// none be accepted.
func load(c *Config, now time.Time) (*identity, error) {
	cert, certErr := c.certificate()
	roots, rootsErr := c.authorities()
	if err := errors.Join(certErr, rootsErr); err != nil {
		return nil, err
	}
	id := &identity{cert, roots}
	if err := id.valid(now); err != nil {
		return nil, fmt.Errorf("secure: own certificate: %w", err)
	}
	return id, nil
}

// valid verifies the own certificate as another node would.
func (id *identity) valid(now time.Time) error {
	leaf := id.cert.Leaf
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		// Without the current time, which x509 adds, this is one error however
		// often it is met.
		return fmt.Errorf("%w: from %v to %v", ErrExpired, leaf.NotBefore, leaf.NotAfter)
	}
	chain := []*x509.Certificate{leaf}
	for _, der := range id.cert.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCertificate, err)
		}
		chain = append(chain, c)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if err := verifyChain(chain, id.roots, usage, now); err != nil {
			return fmt.Errorf("%w: %w", flaw(err), err)
		}
	}
	return nil
}

func (c *Config) certificate() (tls.Certificate, error) {
	var cert tls.Certificate
	var err error
	if c.Certificate != nil {
		cert, err = c.Certificate()
	} else {
		cert, err = tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("secure: certificate: %w", err)
	}
	if len(cert.Certificate) == 0 {
		return tls.Certificate{}, ErrNoCertificate
	}
	if cert.Leaf == nil {
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return tls.Certificate{}, fmt.Errorf("secure: certificate: %w", err)
		}
	}
	if !fits(cert.PrivateKey, cert.Leaf.PublicKey) {
		return tls.Certificate{}, fmt.Errorf("%w: the key is for another one", ErrCertificate)
	}
	return cert, nil
}

// fits reports whether a private key belongs to a public one.
func fits(private crypto.PrivateKey, public crypto.PublicKey) bool {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return false
	}
	own, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && own.Equal(public)
}

func (c *Config) authorities() (*x509.CertPool, error) {
	if c.Roots != nil {
		roots, err := c.Roots()
		switch {
		case err != nil:
			return nil, fmt.Errorf("secure: authorities: %w", err)
		case roots == nil: // would mean those of the operating system
			return nil, errors.New("secure: authorities: none")
		}
		return roots, nil
	}
	data, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("secure: authorities: %w", err)
	}
	certs, err := parseCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("secure: authorities: %s: %w", c.CAFile, err)
	}
	roots := x509.NewCertPool()
	for _, cert := range certs {
		roots.AddCert(cert)
	}
	return roots, nil
}

// parseCertificates parses PEM with nothing but certificates in it, at least
// one. A pool would pass over what it does not understand, and an authority
// would be missing.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != certificateBlock {
			return nil, fmt.Errorf("unexpected PEM block %q", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if bytes.Contains(data, []byte("-----BEGIN")) {
		return nil, errors.New("broken PEM block")
	}
	if len(certs) == 0 {
		return nil, errors.New("no certificate in PEM")
	}
	return certs, nil
}
