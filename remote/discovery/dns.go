package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Family says which addresses count.
type Family uint8

const (
	// AnyFamily is IPv4 and IPv6. A host that has only one of them is fine.
	AnyFamily Family = iota
	// IPv4 asks for A records only.
	IPv4
	// IPv6 asks for AAAA records only.
	IPv6
)

// String returns "any", "ipv4" or "ipv6".
func (f Family) String() string {
	switch f {
	case AnyFamily:
		return "any"
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return fmt.Sprintf("Family(%d)", uint8(f))
}

// networks are what the resolver calls the record types of f.
func (f Family) networks() []string {
	switch f {
	case IPv4:
		return []string{"ip4"}
	case IPv6:
		return []string{"ip6"}
	}
	return []string{"ip4", "ip6"}
}

// DNS is a [Source] of all addresses that a host name has, such as the name of
// a headless service in Kubernetes. Host and Port must be given.
type DNS struct {
	// Host is the name. Without a dot at its end, the search list of the
	// system's resolver applies to it.
	Host string
	// Port is where nodes listen at each of the addresses.
	Port uint16
	// Family says which addresses count.
	Family Family
	// Server is the DNS server to ask, "host:port". Empty means the system's.
	Server string
}

// Lookup implements [Source]. It fails if one of the questions, for A and for
// AAAA records, is not answered, even if the other one is, and with [ErrNone]
// if the host has no address.
func (d DNS) Lookup(ctx context.Context) ([]string, error) {
	if d.Host == "" || d.Port == 0 {
		return nil, fmt.Errorf("%w: DNS without a Host or a Port", ErrCandidate)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	addrs, err := addresses(ctx, resolver(ctx, d.Server), d.Family, d.Host)
	if err != nil {
		return nil, err
	}
	found := make([]string, len(addrs))
	for i, addr := range addrs {
		found[i] = netip.AddrPortFrom(addr, d.Port).String()
	}
	return found, nil
}

// SRV is a [Source] of the hosts and ports that a service has in DNS. Priorities
// and weights do not count: any node is as good as another to join at.
type SRV struct {
	// Name is the whole name of the service, such as
	// "_topos._tcp.example.org.".
	Name string
	// Resolve asks the same server for the addresses of the hosts, which then
	// are the candidates. Otherwise the host names are, for whoever dials them
	// to resolve.
	Resolve bool
	// Family says which addresses count, with Resolve.
	Family Family
	// Server is the DNS server to ask, "host:port". Empty means the system's.
	Server string
}

// Lookup implements [Source]. It fails if the answer has a record that is not
// valid, with [ErrNone] if there is none, or if one of the hosts has to be
// resolved and cannot be.
func (s SRV) Lookup(ctx context.Context) ([]string, error) {
	if s.Name == "" {
		return nil, fmt.Errorf("%w: SRV without a Name", ErrCandidate)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := resolver(ctx, s.Server)
	_, records, err := r.LookupSRV(ctx, "", "", s.Name)
	if notFound(err) || err == nil && len(records) == 0 {
		return nil, fmt.Errorf("%w: service %s", ErrNone, s.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("discovery: service %s: %w", s.Name, err)
	}
	var found []string
	for _, record := range records {
		port := strconv.Itoa(int(record.Port))
		if record.Target == "." {
			return nil, fmt.Errorf("%w: service %s is said not to exist", ErrNone, s.Name) // RFC 2782
		}
		if !s.Resolve {
			found = append(found, net.JoinHostPort(strings.TrimSuffix(record.Target, "."), port))
			continue
		}
		addrs, err := addresses(ctx, r, s.Family, record.Target)
		if err != nil {
			return nil, err
		}
		for _, addr := range addrs {
			found = append(found, netip.AddrPortFrom(addr, record.Port).String())
		}
	}
	return found, nil
}

// addresses asks for one record type after the other. The standard library would
// ask for both at once and be content with one answer, so that half of a set
// would look like the whole.
func addresses(ctx context.Context, r *net.Resolver, family Family, host string) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, network := range family.networks() {
		addrs, err := r.LookupNetIP(ctx, network, host)
		if err != nil && !notFound(err) {
			return nil, fmt.Errorf("discovery: host %s: %w", host, err)
		}
		for _, addr := range addrs {
			all = append(all, addr.Unmap())
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: host %s", ErrNone, host)
	}
	return all, nil
}

// notFound reports that there certainly is no such record.
func notFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound && !dns.IsTimeout && !dns.IsTemporary
}

// resolver is Go's own, since that of the C library cannot be given another
// server, nor be interrupted. Go's goes on by itself for a while when ctx ends;
// so its connections are closed then, and it gets no others.
func resolver(ctx context.Context, server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(dial context.Context, network, system string) (net.Conn, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		addr := server
		if addr == "" {
			addr = system
		}
		var d net.Dialer
		conn, err := d.DialContext(dial, network, addr)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}}
}
