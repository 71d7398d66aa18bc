package secure

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY" // PKCS #8
)

// Pair is a certificate and its key, in PEM.
type Pair struct {
	CertPEM, KeyPEM []byte
}

func newPair(cert *x509.Certificate, key *ecdsa.PrivateKey) (*Pair, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("secure: %w", err)
	}
	return &Pair{CertPEM: encode(certificateBlock, cert.Raw), KeyPEM: encode(keyBlock, der)}, nil
}

func encode(block string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der})
}

// Certificate returns the pair as crypto/tls has it, for Config.Certificate.
func (p *Pair) Certificate() (tls.Certificate, error) {
	cert, err := tls.X509KeyPair(p.CertPEM, p.KeyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("secure: %w", err)
	}
	return cert, nil
}

// WriteFiles writes the pair for Config.CertFile and Config.KeyFile. Each file
// appears whole, in place of an older one: first the key, which only its owner
// may read, then the certificate. A node that reads both in between keeps what
// it has and reads them again.
func (p *Pair) WriteFiles(certFile, keyFile string) error {
	if err := WriteFile(keyFile, p.KeyPEM, 0o600); err != nil {
		return err
	}
	return WriteFile(certFile, p.CertPEM, 0o644)
}

// WriteFile writes data to a new file, on disk, and renames it to name, so that
// whoever reads name gets either all of data or what was there before. It is for
// CAFile, too.
func WriteFile(name string, data []byte, perm os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*") // which only its owner may read
	if err != nil {
		return fmt.Errorf("secure: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("secure: %w", err)
		}
	}()
	_, writeErr := f.Write(data)
	if err := errors.Join(writeErr, f.Chmod(perm), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
