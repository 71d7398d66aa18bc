package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/bench/pair"
)

// between compares the sides at works between two processes.
type between struct {
	sides   []side
	rounds  int
	length  time.Duration
	profile string // a folder for the profiles of Topos, or empty
	cookie  string
	// runs are all results: of a side, of a work, in the order of rounds.
	runs map[string]map[string][]pair.Result
	// notes say what a reader of the figures has to know.
	notes []string
	// failed says that Topos or the floor could not be measured.
	failed error
}

// limit is how long one measurement may take. Beyond it the processes are
// killed, and the side has no figure for the work.
func (b *between) limit(work string) time.Duration {
	if work == "default_lost" {
		return 60 * time.Second
	}
	return 20*time.Second + 4*b.length
}

// run does the works, round by round, the sides taking turns.
func (b *between) run(works []string) {
	b.cookie = rand.Text()
	b.runs = make(map[string]map[string][]pair.Result)
	for _, s := range b.sides {
		b.runs[s.name] = make(map[string][]pair.Result)
	}
	for _, work := range works {
		out := make(map[string]bool) // sides that cannot or did not
		for round := range b.rounds {
			if work == "default_lost" && round > 0 {
				break // one that loses nothing sends a gigabyte, one that does waits for seconds
			}
			for _, s := range b.sides {
				if s.err == nil && !out[s.name] {
					out[s.name] = !b.measure(s, work, round)
				}
			}
		}
	}
	for _, s := range b.sides {
		for _, work := range works {
			b.describe(s.name, work)
		}
	}
}

// measure does a work once with a side, and says whether to do it again.
func (b *between) measure(s side, work string, round int) bool {
	r := role{work: work, length: b.length, cookie: b.cookie}
	if b.profile != "" && s.name == "topos" && round == 0 {
		r.profile = b.profile + "/" + work
	}
	result, err := s.pair(r, b.limit(work))
	if err != nil {
		b.note("%s has no figure for %s: %v", s.name, work, err)
		if s.name == "topos" || s.name == "floor" {
			b.failed = errors.Join(b.failed, fmt.Errorf("%s with %s: %w", work, s.name, err))
		}
		// A figure from before would not be one of all rounds.
		delete(b.runs[s.name], work)
		return false
	}
	if result.Cannot {
		return false
	}
	b.runs[s.name][work] = append(b.runs[s.name][work], result)
	return true
}

func (b *between) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// describe notes what was lost, mangled or out of order.
func (b *between) describe(side, work string) {
	var sum pair.Result
	for _, r := range b.runs[side][work] {
		sum.Sent += r.Sent
		sum.Arrived += r.Arrived
		sum.Misordered += r.Misordered
		sum.Mangled += r.Mangled
	}
	if lost := sum.Sent - sum.Arrived; lost != 0 {
		b.note("%s lost %d of %d messages of %s", side, lost, sum.Sent, work)
	}
	if sum.Misordered > 0 {
		b.note("%s delivered %d of %d messages of %s out of order or again", side, sum.Misordered, sum.Arrived, work)
	}
	if sum.Mangled > 0 {
		b.note("%s delivered %d of %d messages of %s with a wrong size", side, sum.Mangled, sum.Arrived, work)
	}
}

// value is the median over the rounds.
func (b *between) value(side string, f figure) *float64 {
	var values []float64
	for _, r := range b.runs[side][f.work] {
		if v, ok := r.Figures[f.name]; ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	v := values[len(values)/2]
	if len(values)%2 == 0 {
		v = (v + values[len(values)/2-1]) / 2
	}
	return &v
}

// choosePairs are the works asked for, separated by commas.
func choosePairs(only string) ([]string, error) {
	if only == "" {
		return pair.Works, nil
	}
	names := strings.Split(only, ",")
	for _, name := range names {
		if !slices.Contains(pair.Works, name) {
			return nil, fmt.Errorf("unknown work %q; there are %v", name, pair.Works)
		}
	}
	return names, nil
}

var errNotAsked = errors.New("not asked for")

// leaveOut gives up the sides that are not among those asked for.
func leaveOut(sides []side, among string) error {
	if among == "" {
		return nil
	}
	names := strings.Split(among, ",")
	for i := range sides {
		if j := slices.Index(names, sides[i].name); j >= 0 {
			names = slices.Delete(names, j, j+1)
		} else {
			sides[i].err = errNotAsked
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("unknown sides %q", names)
	}
	return nil
}
