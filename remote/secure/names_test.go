package secure_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/topos-go/topos/remote/secure"
)

// One certificate for all nodes, wherever they are.
func TestListedNamesTakeThePlaceOfHosts(t *testing.T) {
	ca := authority(t, "good")
	member := memoryConfig(t, ca, "nodes.topos.example")
	member.Names = []string{"10.1.1.1", "nodes.topos.example"}
	errs := make(chan error, 2)
	s := serve(t, transport(t, tcp{}, member), func(c *secure.Conn) {
		errs <- c.Handshake(t.Context())
		errs <- c.VerifyPeer("anything.example:1")
	})
	mustDial(t, transport(t, tcp{}, member), s.addr)
	for range 2 {
		if err := receive(t, errs); err != nil {
			t.Error(err)
		}
	}
}

func TestListedNamesAreRequiredOfBothSides(t *testing.T) {
	ca := authority(t, "good")
	strict := memoryConfig(t, ca, "nodes.topos.example", "127.0.0.1")
	strict.Names = []string{"nodes.topos.example"}
	other := memoryConfig(t, ca, "127.0.0.1")

	handle, errs := reader()
	s := serve(t, transport(t, tcp{}, strict), handle)
	c := mustDial(t, transport(t, tcp{}, other), s.addr)
	_, err := c.Read(make([]byte, 1))
	checkRefusal(t, err, secure.ErrCertificate, true)
	c.Close()
	checkRefusal(t, receive(t, errs), secure.ErrName, false)
	checkCounted(t, s.Stats(), secure.ErrName)

	s = serve(t, transport(t, tcp{}, other), handle)
	tr := transport(t, tcp{}, strict)
	_, err = dial(t, tr, s.addr)
	checkRefusal(t, err, secure.ErrName, false)
	checkCounted(t, tr.Stats(), secure.ErrName)
}

func TestFunctionDecidesOnNames(t *testing.T) {
	ca, errUnknown := authority(t, "good"), errors.New("test: not in the register")
	var mu sync.Mutex
	var asked []string
	cfg := memoryConfig(t, ca, "irrelevant.example")
	cfg.VerifyName = func(leaf *x509.Certificate, host string) error {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, leaf.DNSNames[0]+" at "+host)
		if host == "evil.example" {
			return errUnknown
		}
		return nil
	}
	errs := make(chan error, 2)
	s := serve(t, transport(t, tcp{}, cfg), func(c *secure.Conn) {
		errs <- c.VerifyPeer("good.example:1")
		errs <- c.VerifyPeer("evil.example:1")
	})
	mustDial(t, transport(t, tcp{}, cfg), s.addr)
	if err := receive(t, errs); err != nil {
		t.Error(err)
	}
	err := receive(t, errs)
	checkRefusal(t, err, secure.ErrName, false)
	if !errors.Is(err, errUnknown) {
		t.Errorf("got %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{"irrelevant.example at 127.0.0.1", "irrelevant.example at good.example", "irrelevant.example at evil.example"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
}
