package discovery

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Errors of lookups. Those of the network and of the file system are wrapped as
// they come.
var (
	// ErrCandidate says that something is neither "host:port" nor
	// "name@host:port".
	ErrCandidate = errors.New("discovery: not a candidate")
	// ErrNone says that a lookup has found nothing, where that more likely
	// means that something is broken.
	ErrNone = errors.New("discovery: no candidates")
	// ErrTooMany says that a lookup has brought more than Config.MaxCandidates.
	ErrTooMany = errors.New("discovery: too many candidates")
	// ErrPanicked says that a lookup has panicked.
	ErrPanicked = errors.New("discovery: source panicked")
)

// Check returns why s is no candidate, an error that wraps [ErrCandidate], or
// nil.
func Check(s string) error {
	addr := s
	if name, rest, named := strings.Cut(s, "@"); named {
		if name == "" {
			return fmt.Errorf("%w: %q has an empty name", ErrCandidate, s)
		}
		addr = rest
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%w: %q: %w", ErrCandidate, s, err)
	}
	if host == "" || strings.ContainsAny(s, " \t\r\n\x00") || strings.ContainsAny(host, "@/") {
		return fmt.Errorf("%w: %q", ErrCandidate, s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%w: %q has no port from 1 to 65535", ErrCandidate, s)
	}
	return nil
}

// clean returns what a lookup brought as a set: sorted, without doubles.
func clean(found []string, limit int) ([]string, error) {
	if len(found) > limit {
		return nil, fmt.Errorf("%w: %d", ErrTooMany, len(found))
	}
	var errs []error
	for _, candidate := range found {
		if err := Check(candidate); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	set := slices.Clone(found)
	slices.Sort(set)
	return slices.Compact(set), nil
}

// union is the pure core of a [Discovery]: what each source has last said, as a
// whole.
type union struct {
	sets [][]string // by source; clean
	all  []string
}

// put notes what a lookup of a source has brought. It reports whether there are
// others in all than before.
func (u *union) put(source int, set []string) bool {
	u.sets[source] = set
	all := slices.Concat(u.sets...)
	slices.Sort(all)
	all = slices.Compact(all)
	if slices.Equal(all, u.all) {
		return false
	}
	u.all = all
	return true
}
