package secure

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Authority signs the certificates of nodes: ECDSA with P-256. It is made by
// [NewAuthority] or [LoadAuthority], and its methods may be called by any
// goroutine. It keeps no account of what it has signed, and can take nothing
// back.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority of the given name, which is for people,
// valid from a time on: a little before now, for the sake of clocks.
func NewAuthority(name string, from time.Time, validity time.Duration) (*Authority, error) {
	if validity <= 0 {
		return nil, fmt.Errorf("secure: validity %v is not positive", validity)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             from,
		NotAfter:              from.Add(validity),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs nodes, not other authorities
	}
	cert, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	return &Authority{cert, key}, nil
}

// LoadAuthority reads what [Pair.WriteFiles] has written of an [Authority.Pair].
func LoadAuthority(certFile, keyFile string) (*Authority, error) {
	certPEM, certErr := os.ReadFile(certFile)
	keyPEM, keyErr := os.ReadFile(keyFile)
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, fmt.Errorf("secure: authority: %w", err)
	}
	pair, err := (&Pair{certPEM, keyPEM}).Certificate()
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	switch {
	case !ok:
		return nil, fmt.Errorf("secure: authority: its key is a %T", pair.PrivateKey)
	case !pair.Leaf.IsCA:
		return nil, fmt.Errorf("secure: authority: %s is not an authority's certificate", certFile)
	}
	return &Authority{pair.Leaf, key}, nil
}

// Request is what a node's certificate is to say.
type Request struct {
	// Name is for people, and nothing is decided by it.
	Name string
	// Hosts are DNS names and IP addresses of the node: the host of its name,
	// and those by which others are told to join it.
	Hosts []string
	// From and Validity are when the certificate is valid. It must not outlive
	// its authority.
	From     time.Time
	Validity time.Duration
}

// Issue makes a key and signs a certificate for a node, with which it can accept
// as well as dial. Errors are all mistakes in r.
func (a *Authority) Issue(r Request) (*Pair, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: r.Name},
		NotBefore:             r.From,
		NotAfter:              r.From.Add(r.Validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if err := a.valid(&r, template); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	cert, err := sign(template, a.cert, key, a.key)
	if err != nil {
		return nil, err
	}
	return newPair(cert, key)
}

// valid reports what is wrong with r, and adds its hosts to template.
func (a *Authority) valid(r *Request, template *x509.Certificate) error {
	var errs []error
	if r.Validity <= 0 {
		errs = append(errs, fmt.Errorf("secure: Request.Validity %v is not positive", r.Validity))
	}
	if template.NotAfter.After(a.cert.NotAfter) {
		errs = append(errs, fmt.Errorf("secure: Request ends %v, after its authority, %v", template.NotAfter, a.cert.NotAfter))
	}
	if len(r.Hosts) == 0 {
		errs = append(errs, errors.New("secure: Request.Hosts is empty"))
	}
	for _, host := range r.Hosts {
		switch ip := net.ParseIP(host); {
		case ip != nil:
			template.IPAddresses = append(template.IPAddresses, ip)
		case host == "" || hostOf(host) != host:
			errs = append(errs, fmt.Errorf("secure: Request.Hosts has %q, which is not a host", host))
		default:
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return errors.Join(errs...)
}

// Pair returns the authority's own certificate and key.
func (a *Authority) Pair() (*Pair, error) { return newPair(a.cert, a.key) }

// PEM returns the authority's certificate. What a CAFile has is one, or several
// one after the other.
func (a *Authority) PEM() []byte { return encode(certificateBlock, a.cert.Raw) }

// Pool returns authorities' certificates, for Config.Roots.
func Pool(authorities ...*Authority) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, a := range authorities {
		pool.AddCert(a.cert)
	}
	return pool
}

// sign makes a certificate of template for key, with a random serial number.
func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	return cert, nil
}
