package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/topos-go/topos/remote/discovery"
)

// server is a DNS server on loopback, over UDP and TCP, that answers from what
// the test puts into it.
type server struct {
	addr string

	mu      sync.Mutex
	records map[string][]string // by "TYPE name."
	codes   map[string]int      // by "TYPE name."
	silent  bool
	cut     bool           // over UDP, nothing but that there is more
	half    int            // over UDP, so many records and that there is more
	asked   map[string]int // by network and question
}

// serve starts a server that ends with the test.
func serve(t testing.TB) *server {
	t.Helper()
	s := &server{records: make(map[string][]string), codes: make(map[string]int), asked: make(map[string]int)}
	packets, stream := listenBoth(t)
	s.addr = packets.LocalAddr().String()
	var done sync.WaitGroup
	t.Cleanup(done.Wait) // after both have been told to end
	for _, d := range []*dns.Server{{PacketConn: packets}, {Listener: stream}} {
		ready := make(chan struct{})
		d.NotifyStartedFunc = func() { close(ready) }
		d.Handler = dns.HandlerFunc(s.answer)
		done.Go(func() {
			if err := d.ActivateAndServe(); err != nil {
				t.Error(err)
			}
		})
		<-ready
		t.Cleanup(func() { _ = d.Shutdown() })
	}
	return s
}

// listenBoth finds a port that is free for UDP and for TCP.
func listenBoth(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		stream, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, stream
		}
		packets.Close()
	}
	t.Fatal("no port is free for both")
	return nil, nil
}

func (s *server) answer(w dns.ResponseWriter, req *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	network := w.LocalAddr().Network()
	q := req.Question[0]
	key := dns.TypeToString[q.Qtype] + " " + q.Name
	s.asked[network+" "+key]++
	if s.silent {
		return
	}
	m := new(dns.Msg)
	m.SetReply(req)
	m.Authoritative = true
	if code, ok := s.codes[key]; ok {
		m.Rcode = code
	}
	for _, text := range s.records[key] {
		record, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, record)
	}
	if network == "udp" && (s.cut || s.half > 0) {
		m.Answer, m.Truncated = m.Answer[:s.half], true
	}
	_ = w.WriteMsg(m)
}

// set says which records there are of a type, a name.
func (s *server) set(question string, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, name, _ := strings.Cut(question, " ")
	s.records[question] = nil
	for _, value := range values {
		s.records[question] = append(s.records[question], fmt.Sprintf("%s 5 IN %s %s", name, kind, value))
	}
}

func (s *server) code(question string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[question] = code
}

func (s *server) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *server) count(question string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[question]
}

const host = "nodes.topos.test."

func (s *server) hosts() discovery.DNS {
	return discovery.DNS{Host: host, Port: 4000, Server: s.addr}
}

func lookup(t *testing.T, source discovery.Source) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return source.Lookup(ctx)
}

func expect(t *testing.T, source discovery.Source, want ...string) {
	t.Helper()
	got, err := lookup(t, source)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

func TestAddressesOfBothFamiliesAreCandidates(t *testing.T) {
	s := serve(t)
	s.set("A "+host, "10.0.0.1", "10.0.0.2")
	s.set("AAAA "+host, "fd00::1")
	expect(t, s.hosts(), "10.0.0.1:4000", "10.0.0.2:4000", "[fd00::1]:4000")
	d := s.hosts()
	d.Family = discovery.IPv4
	expect(t, d, "10.0.0.1:4000", "10.0.0.2:4000")
	d.Family = discovery.IPv6
	expect(t, d, "[fd00::1]:4000")
}

func TestHostWithOneFamilyOnlyIsFine(t *testing.T) {
	s := serve(t)
	s.set("A "+host, "10.0.0.1")
	expect(t, s.hosts(), "10.0.0.1:4000")
}

func TestHalfAnAnswerIsAFailure(t *testing.T) {
	s := serve(t)
	s.set("A "+host, "10.0.0.1")
	s.code("AAAA "+host, dns.RcodeServerFailure)
	if got, err := lookup(t, s.hosts()); err == nil {
		t.Errorf("found %v although nobody knows the IPv6 addresses", got)
	}
}

func TestUnknownHostIsAFailure(t *testing.T) {
	s := serve(t)
	for _, kind := range []string{"A ", "AAAA ", "SRV "} {
		s.code(kind+host, dns.RcodeNameError)
	}
	for _, source := range []discovery.Source{s.hosts(), discovery.SRV{Name: host, Server: s.addr}} {
		if got, err := lookup(t, source); !errors.Is(err, discovery.ErrNone) {
			t.Errorf("%T found %v, %v", source, got, err)
		}
	}
}

func TestHostWithoutAddressesIsAFailure(t *testing.T) {
	s := serve(t) // which answers that there is no such record
	for _, source := range []discovery.Source{s.hosts(), discovery.SRV{Name: host, Server: s.addr}} {
		if got, err := lookup(t, source); !errors.Is(err, discovery.ErrNone) {
			t.Errorf("%T found %v, %v", source, got, err)
		}
	}
}

func TestServerFailureIsAFailure(t *testing.T) {
	s := serve(t)
	for _, kind := range []string{"A ", "AAAA ", "SRV "} {
		s.code(kind+host, dns.RcodeServerFailure)
	}
	for _, source := range []discovery.Source{s.hosts(), discovery.SRV{Name: host, Server: s.addr}} {
		if got, err := lookup(t, source); err == nil || errors.Is(err, discovery.ErrNone) {
			t.Errorf("%T found %v, %v", source, got, err)
		}
	}
}

func TestSilentServerIsGivenUpWithTheContext(t *testing.T) {
	s := serve(t)
	s.do(func() { s.silent = true })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if got, err := s.hosts().Lookup(ctx); err == nil || errors.Is(err, discovery.ErrNone) {
		t.Errorf("found %v, %v", got, err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestServerThatIsNotThereIsAFailure(t *testing.T) {
	packets, stream := listenBoth(t)
	packets.Close()
	stream.Close()
	d := discovery.DNS{Host: host, Port: 4000, Server: stream.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if got, err := d.Lookup(ctx); err == nil || errors.Is(err, discovery.ErrNone) {
		t.Errorf("found %v, %v", got, err)
	}
}

func TestAnswerThatIsCutOffIsAskedForOverTCP(t *testing.T) {
	s := serve(t)
	var want, addrs []string
	for i := range 200 { // more than fits into a packet
		addrs = append(addrs, fmt.Sprintf("10.0.1.%d", i))
		want = append(want, fmt.Sprintf("10.0.1.%d:4000", i))
	}
	s.set("A "+host, addrs...)
	slices.Sort(want)
	for _, half := range []int{0, 3} {
		s.do(func() { s.cut, s.half, s.asked = true, half, make(map[string]int) })
		d := s.hosts()
		d.Family = discovery.IPv4
		expect(t, d, want...)
		if s.count("udp A "+host) == 0 || s.count("tcp A "+host) == 0 {
			t.Errorf("with %d records over UDP: asked %v", half, s.asked)
		}
	}
}

func TestServiceRecordsAreHostsAndPorts(t *testing.T) {
	s := serve(t)
	const name = "_topos._tcp.topos.test."
	s.set("SRV "+name, "10 5 4000 n0.topos.test.", "0 0 4001 n1.topos.test.")
	srv := discovery.SRV{Name: name, Server: s.addr}
	expect(t, srv, "n0.topos.test:4000", "n1.topos.test:4001")

	srv.Resolve = true
	s.set("A n0.topos.test.", "10.0.0.1")
	if got, err := lookup(t, srv); err == nil {
		t.Errorf("found %v although one host has no address", got)
	}
	s.set("AAAA n1.topos.test.", "fd00::1", "fd00::2")
	expect(t, srv, "10.0.0.1:4000", "[fd00::1]:4001", "[fd00::2]:4001")
	srv.Family = discovery.IPv4
	if got, err := lookup(t, srv); !errors.Is(err, discovery.ErrNone) {
		t.Errorf("found %v, %v although one host has no IPv4 address", got, err)
	}
}

func TestServiceThatIsSaidNotToExistIsAFailure(t *testing.T) {
	s := serve(t)
	s.set("SRV "+host, "0 0 0 .")
	if got, err := lookup(t, discovery.SRV{Name: host, Server: s.addr}); err == nil {
		t.Errorf("found %v", got)
	}
}

func TestSourcesWithoutANameFailAtOnce(t *testing.T) {
	for _, source := range []discovery.Source{discovery.DNS{}, discovery.DNS{Host: "x"}, discovery.DNS{Port: 1}, discovery.SRV{}} {
		if _, err := lookup(t, source); !errors.Is(err, discovery.ErrCandidate) {
			t.Errorf("%#v: %v", source, err)
		}
	}
}

// TestDiscoveryFollowsTheServerAndOutlivesItsFailures goes through what happens
// to a service in a cluster, in real time.
func TestDiscoveryFollowsTheServerAndOutlivesItsFailures(t *testing.T) {
	s := serve(t)
	found, failed := make(chan []string, 100), make(chan error, 100)
	d, err := discovery.Start(discovery.Config{
		Sources: []discovery.Source{s.hosts()},
		Found:   func(c []string) { found <- c },
		Failed: func(_ discovery.Source, err error) {
			select {
			case failed <- err:
			default:
			}
		},
		Interval: time.Millisecond, RetryMin: time.Millisecond, RetryMax: 5 * time.Millisecond, Timeout: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	next := func(want ...string) {
		t.Helper()
		if got := <-found; !slices.Equal(got, want) {
			t.Fatalf("found %v, want %v", got, want)
		}
	}
	fails := func(cause string) {
		t.Helper()
		for len(failed) > 0 { // what failed before
			<-failed
		}
		<-failed // which may have begun before
		<-failed
		<-failed
		if len(found) > 0 {
			t.Fatalf("%s: found %v", cause, <-found)
		}
	}
	fails("no record")
	s.set("A "+host, "10.0.0.1")
	next("10.0.0.1:4000")
	s.code("AAAA "+host, dns.RcodeServerFailure)
	s.set("A "+host, "10.0.0.1", "10.0.0.2")
	fails("half an answer")
	s.code("AAAA "+host, dns.RcodeSuccess)
	next("10.0.0.1:4000", "10.0.0.2:4000")
	s.set("A " + host)
	fails("no record any more")
	s.do(func() { s.silent = true })
	fails("silence")
	if got := d.Candidates(); len(got) != 2 {
		t.Errorf("failures left %v", got)
	}
	s.do(func() { s.silent = false })
	s.set("A "+host, "10.0.0.2", "10.0.0.3")
	next("10.0.0.2:4000", "10.0.0.3:4000")
}
