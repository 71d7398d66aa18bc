package secure_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/remote/secure"
)

func TestCertificateSaysWhatWasRequested(t *testing.T) {
	ca := authority(t, "good")
	r := request("a.example", "10.0.0.7", "::1")
	leaf := certificate(t, issue(t, ca, r)).Leaf
	if leaf.Subject.CommonName != "node" || leaf.Issuer.CommonName != "good" || leaf.IsCA {
		t.Errorf("%v, of %v", leaf.Subject, leaf.Issuer)
	}
	for _, host := range r.Hosts {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if len(leaf.DNSNames) != 1 || len(leaf.IPAddresses) != 2 {
		t.Errorf("%v, %v", leaf.DNSNames, leaf.IPAddresses)
	}
	if !leaf.NotBefore.Equal(r.From.Truncate(time.Second)) || !leaf.NotAfter.Equal(r.From.Add(r.Validity).Truncate(time.Second)) {
		t.Errorf("from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	if again := certificate(t, issue(t, ca, r)).Leaf; again.SerialNumber.Cmp(leaf.SerialNumber) == 0 {
		t.Error("two certificates of one serial number")
	}
}

func TestRequestIsRefusedWithAllItsMistakes(t *testing.T) {
	ca := authority(t, "good")
	r := secure.Request{Hosts: []string{"", "a:4000", "good.example"}, From: time.Now().Add(1000 * 24 * time.Hour)}
	_, err := ca.Issue(r)
	if err == nil {
		t.Fatal("it was issued")
	}
	for _, want := range []string{"Validity 0s", "after its authority", `""`, `"a:4000"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if _, err := ca.Issue(secure.Request{From: time.Now(), Validity: time.Hour}); err == nil || !strings.Contains(err.Error(), "Hosts is empty") {
		t.Errorf("without hosts: %v", err)
	}
	if _, err := secure.NewAuthority("never", time.Now(), 0); err == nil {
		t.Error("an authority without validity")
	}
}

func TestAuthorityIsLoadedFromItsFiles(t *testing.T) {
	ca := authority(t, "good")
	pair, err := ca.Pair()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	if err := pair.WriteFiles(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(keyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
	loaded, err := secure.LoadAuthority(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	// What it signs is good for those who know the first one.
	s := serve(t, transport(t, tcp{}, memoryConfig(t, ca, "127.0.0.1")), echo)
	if err := exchange(mustDial(t, transport(t, tcp{}, memoryConfig(t, loaded, "127.0.0.1")), s.addr)); err != nil {
		t.Error(err)
	}

	if _, err := secure.LoadAuthority(keyFile, filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a key: %v", err)
	}
	if err := issue(t, ca, request("a")).WriteFiles(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := secure.LoadAuthority(certFile, keyFile); err == nil {
		t.Error("a node was taken for an authority")
	}
}

// An authority signs nodes only, so that a stolen node's key makes no others.
func TestNodesCannotSignOthers(t *testing.T) {
	ca := authority(t, "good")
	node := issue(t, ca, request("127.0.0.1"))
	forged := sign(t, certificate(t, node), certificate(t, issue(t, ca, request("127.0.0.1"))), x509.ExtKeyUsageClientAuth)
	forged.Certificate = append(forged.Certificate, certificate(t, node).Certificate...)
	handle, errs := reader()
	s := serve(t, transport(t, tcp{}, memoryConfig(t, ca, "127.0.0.1")), handle)
	c, err := tls.Dial("tcp", s.addr, (&world{good: ca}).client(forged))
	if err == nil {
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	if err == nil {
		t.Error("it was accepted")
	}
	err = receive(t, errs)
	refused, ok := errors.AsType[*secure.HandshakeError](err)
	if !ok || refused.Remote || !errors.Is(err, secure.ErrAuthority) && !errors.Is(err, secure.ErrCertificate) {
		t.Errorf("got %v", err)
	}
}

// Authorities of others may have intermediate ones, which come after the node's
// certificate in CertFile.
func TestIntermediateAuthorityIsSentAlong(t *testing.T) {
	key := func() tls.Certificate { return certificate(t, issue(t, authority(t, "any"), request("any"))) }
	root := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	middle := *root
	middle.SerialNumber, middle.Subject = big.NewInt(3), pkix.Name{CommonName: "middle"}
	issued := func(template *x509.Certificate, parent *x509.Certificate, own, by tls.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, own.Leaf.PublicKey, by.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	rootKey, middleKey, nodeKey := key(), key(), key()
	rootCert := issued(root, root, rootKey, rootKey)
	middleCert := issued(&middle, rootCert, middleKey, rootKey)
	leaf := sign(t, tls.Certificate{Leaf: middleCert, PrivateKey: middleKey.PrivateKey}, nodeKey,
		x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)

	pool := x509.NewCertPool()
	pool.AddCert(rootCert)
	cfg := secure.Config{
		Certificate: func() (tls.Certificate, error) { return leaf, nil },
		Roots:       func() (*x509.CertPool, error) { return pool, nil },
	}
	if _, err := secure.New(tcp{}, cfg); !errors.Is(err, secure.ErrAuthority) {
		t.Errorf("without the intermediate one: %v", err)
	}
	leaf.Certificate = append(leaf.Certificate, middleCert.Raw)
	tr := transport(t, tcp{}, cfg)
	s := serve(t, tr, echo)
	if err := exchange(mustDial(t, tr, s.addr)); err != nil {
		t.Error(err)
	}
	leaf.Certificate = append(leaf.Certificate[:1:1], []byte("nothing"))
	if err := tr.Reload(); !errors.Is(err, secure.ErrCertificate) {
		t.Errorf("with something else: %v", err)
	}
}
