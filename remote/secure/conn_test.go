package secure_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/secure"
)

var (
	_ remote.Transport = (*secure.Transport)(nil)
	_ secure.Carrier   = remote.TCP{}
	_ net.Conn         = (*secure.Conn)(nil)
)

// loopback returns a transport whose node is at 127.0.0.1.
func loopback(t testing.TB) *secure.Transport {
	return transport(t, tcp{}, memoryConfig(t, authority(t, "good"), "127.0.0.1"))
}

func TestClientsThatStallHoldNobodyUp(t *testing.T) {
	tr := loopback(t)
	s := serve(t, tr, echo)
	for i := range 20 {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")[:i%12]) // and no more
	}
	if err := exchange(mustDial(t, tr, s.addr)); err != nil {
		t.Fatal(err)
	}
}

func TestDeadlineSetBeforeReadEndsHandshake(t *testing.T) {
	errs := make(chan error, 1)
	s := serve(t, loopback(t), func(c *secure.Conn) {
		_ = c.SetDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		errs <- err
	})
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("\x16\x03\x01"))
	if err := receive(t, errs); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestCloseEndsHandshakeUnderWay(t *testing.T) {
	conns, errs := make(chan *secure.Conn, 1), make(chan error, 1)
	s := serve(t, loopback(t), func(c *secure.Conn) {
		conns <- c
		_, err := c.Read(make([]byte, 1))
		errs <- err
	})
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := receive(t, conns).Close(); err != nil {
		t.Error(err)
	}
	if err := receive(t, errs); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestReadDeadlineCanBeMetAndMoved(t *testing.T) {
	tr := loopback(t)
	s := serve(t, tr, echo)
	c := mustDial(t, tr, s.addr)
	for range 3 {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		_ = c.SetReadDeadline(time.Time{})
		if err := exchange(c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCloseWriteLeavesTheOtherHalf(t *testing.T) {
	tr := loopback(t)
	s := serve(t, tr, func(c *secure.Conn) {
		b, err := io.ReadAll(c)
		if err == nil {
			_, _ = c.Write(append(b, " and the rest"...))
		}
	})
	c := mustDial(t, tr, s.addr)
	_, _ = c.Write([]byte("this"))
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); string(b) != "this and the rest" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

// The last alert finds no room in the socket, and nobody reads.
func TestCloseDoesNotWaitForTheOtherSide(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	tr := loopback(t)
	s := serve(t, tr, func(c *secure.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 1))
		<-release
	})
	c := mustDial(t, tr, s.addr)
	for _, size := range []int{64 << 10, 1} { // to the last byte
		_ = c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		for full := false; !full; {
			_, err := c.NetConn().Write(make([]byte, size))
			full = err != nil
		}
	}
	begun := time.Now()
	_ = c.Close()
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A write that is under way fails at once.
func TestCloseEndsWriteUnderWay(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	tr := loopback(t)
	s := serve(t, tr, func(c *secure.Conn) {
		_, _ = c.Write([]byte{1})
		<-release
	})
	c := mustDial(t, tr, s.addr)
	failed := make(chan error, 1)
	started := make(chan struct{})
	go func() { // ends with the connection
		close(started)
		for {
			if _, err := c.Write(make([]byte, 1<<20)); err != nil {
				failed <- err
				return
			}
		}
	}()
	<-started
	_, _ = c.Read(make([]byte, 1))
	_ = c.Close()
	if err := receive(t, failed); !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestPeerIsAnsweredByItsCertificate(t *testing.T) {
	ca := authority(t, "good")
	results := make(chan []error, 1)
	s := serve(t, transport(t, tcp{}, memoryConfig(t, ca, "127.0.0.1")), func(c *secure.Conn) {
		var errs []error
		for _, addr := range []string{
			"a.example:4000", "A.example", "10.0.0.7:1", "[fe80::1%eth0]:4000", "x.nodes.example:4000",
			"b.example:4000", "example:4000", "10.0.0.8:1", "[fe80::2]:4000", "y.x.nodes.example:4000", "", ":4000",
		} {
			errs = append(errs, c.VerifyPeer(addr))
		}
		results <- errs
	})
	c := mustDial(t, transport(t, tcp{}, memoryConfig(t, ca, "a.example", "10.0.0.7", "fe80::1", "*.nodes.example")), s.addr)
	for i, err := range receive(t, results) {
		switch {
		case i < 5 && err != nil:
			t.Errorf("%d: %v", i, err)
		case i >= 5:
			checkRefusal(t, err, secure.ErrName, false)
		}
	}
	if names := c.PeerCertificate().IPAddresses; len(names) != 1 || !names[0].Equal(net.IPv4(127, 0, 0, 1)) {
		t.Errorf("the server's is for %v", names)
	}
	if counted := s.Stats().Refused[3]; counted.Reason != secure.ErrName || counted.Count != 7 {
		t.Errorf("counted %v", counted)
	}
}

func TestPeerIsVerifiedBeforeAnythingIsRead(t *testing.T) {
	ca, errs := authority(t, "good"), make(chan error, 1)
	s := serve(t, transport(t, tcp{}, memoryConfig(t, ca, "127.0.0.1")), func(c *secure.Conn) {
		if c.PeerCertificate() != nil {
			errs <- errors.New("a certificate before the handshake")
			return
		}
		errs <- c.VerifyPeer("a.example")
	})
	mustDial(t, transport(t, tcp{}, memoryConfig(t, ca, "a.example")), s.addr)
	if err := receive(t, errs); err != nil {
		t.Error(err)
	}
}

// split cuts data into buffers of random sizes.
func split(rnd *rand.Rand, data []byte, largest int) (bufs net.Buffers) {
	for len(data) > 0 {
		n := min(rnd.IntN(largest+1), len(data))
		bufs, data = append(bufs, data[:n:n]), data[n:]
	}
	return bufs
}

func TestBuffersArriveAsTheyAre(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	tr := loopback(t)
	got := make(chan []byte, 1)
	s := serve(t, tr, func(c *secure.Conn) {
		b, _ := io.ReadAll(c)
		got <- b
	})
	for _, largest := range []int{1, 300, 16 << 10, 40 << 10, 200 << 10} {
		data := make([]byte, largest*10)
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		bufs := split(rnd, data, largest)
		whole := bytes.Clone(data)
		c := mustDial(t, tr, s.addr)
		n, err := c.WriteBuffers(&bufs)
		if n != int64(len(data)) || err != nil || len(bufs) != 0 {
			t.Fatalf("up to %d: wrote %d of %d, %v, %d buffers left", largest, n, len(data), err, len(bufs))
		}
		c.Close()
		if !bytes.Equal(receive(t, got), whole) || !bytes.Equal(data, whole) {
			t.Errorf("up to %d: something else came", largest)
		}
	}
}

func TestSmallBuffersGoTogether(t *testing.T) {
	ca, meter := authority(t, "good"), new(gauge)
	s := serve(t, transport(t, tcp{}, memoryConfig(t, ca, "127.0.0.1")), echo)
	c := mustDial(t, transport(t, meter, memoryConfig(t, ca, "127.0.0.1")), s.addr)
	for _, test := range []struct{ count, size, writes int }{
		{1, 100, 1}, {50, 100, 1}, {200, 1 << 10, 13}, {3, 0, 0}, {0, 0, 0}, {4, 16 << 10, 4}, {1, 64 << 10, 4}, {2, 24 << 10, 3},
	} {
		var bufs net.Buffers
		for range test.count {
			bufs = append(bufs, make([]byte, test.size))
		}
		before := meter.writes.Load()
		if n, err := c.WriteBuffers(&bufs); n != int64(test.count*test.size) || err != nil {
			t.Fatal(n, err)
		}
		if n := meter.writes.Load() - before; n != int64(test.writes) {
			t.Errorf("%d buffers of %d bytes took %d writes", test.count, test.size, n)
		}
		if _, err := io.CopyN(io.Discard, c, int64(test.count*test.size)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBuffersFailWithTheConnection(t *testing.T) {
	tr := loopback(t)
	s := serve(t, tr, echo)
	for _, size := range []int{1, 10 << 10, 100 << 10} {
		c := mustDial(t, tr, s.addr)
		c.Close()
		bufs := net.Buffers{make([]byte, size), make([]byte, size)}
		if n, err := c.WriteBuffers(&bufs); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
}

func TestOptionsOfTheSocketAreInReach(t *testing.T) {
	tr := loopback(t)
	s := serve(t, tr, echo)
	c := mustDial(t, tr, s.addr)
	if err := c.NetConn().(*net.TCPConn).SetNoDelay(true); err != nil {
		t.Error(err)
	}
	if c.RemoteAddr().String() != s.addr || c.LocalAddr().(*net.TCPAddr).Port == 0 {
		t.Errorf("from %v to %v", c.LocalAddr(), c.RemoteAddr())
	}
}
