package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// Report is what a run has shown.
type Report struct {
	Config Config
	// Parts is into how many parts the nodes had fallen when they had settled,
	// Degree their mean number of neighbors, Cost their mean least delay from
	// each other.
	Parts  int
	Degree float64
	Cost   time.Duration
	// Stable and Flooded are broadcasts before anything happens, Killed those at
	// once after the crash, Sound those after healing.
	Stable, Flooded, Killed, Sound Measure
	Healed                         Healed
	// Elapsed is how long it was in the time of the world, Events how many
	// there were, Sent how many messages, of which Lost and Doubled were.
	Elapsed             time.Duration
	Events              uint64
	Sent, Lost, Doubled uint64
	// Living is how many nodes there are at last, Missed how many messages
	// plumtree has given up, on all nodes.
	Living, Missed int
	// With a directory, Suspected is how often a node has suspected a live one by
	// itself, Evicted how often one has taken a live one that it could reach for
	// dead.
	Suspected, Evicted uint64
	// Transcript is the hash of it.
	Transcript uint64
	// Stopped says that the run was ended before it was complete.
	Stopped bool
	// Violations are what must not be. Beyond is how many more there were.
	Violations []Violation
	Beyond     int
}

// Healed says how long after the crash the live nodes were one graph again, had no
// dead neighbors, and, with a directory, all had each other for members and nobody
// else. A negative time is never.
type Healed struct {
	Connected, Clean, Agreed time.Duration
}

func (h *Healed) after(broken, connected, clean, agreed int64) {
	since := func(at int64) time.Duration {
		if at == 0 {
			return -1
		}
		return time.Duration(at - broken)
	}
	h.Connected, h.Clean, h.Agreed = since(connected), since(clean), since(agreed)
}

// Cycles returns a time in shuffle intervals.
func Cycles(d time.Duration) float64 { return d.Seconds() / cycle.Seconds() }

// Measure is what broadcasts were like.
type Measure struct {
	Broadcasts int
	// Reliability is the mean fraction of live nodes that had a broadcast five
	// seconds later; Least that of the worst one, Late the mean of the second
	// half.
	Reliability, Least, Late float64
	// RMR is the relative message redundancy of the paper on plumtree, m/(n-1)-1
	// for m payloads received and n nodes reached; of the broadcasts of the
	// second half, as the first build the tree. FirstRMR is that of the first.
	RMR, FirstRMR float64
	// LastHop is over how many links the last delivery came, and Latency how
	// long it took, on average in the second half.
	LastHop, FirstHop float64
	Latency           time.Duration
}

// String says the most of it in a line.
func (m Measure) String() string {
	return fmt.Sprintf("%d broadcasts: reliability %.4f, least %.4f, late %.4f, RMR %.3f (first %.3f), last hop %.1f, after %v",
		m.Broadcasts, m.Reliability, m.Least, m.Late, m.RMR, m.FirstRMR, m.LastHop, m.Latency.Round(time.Millisecond))
}

// summary sums up the broadcasts from and before to.
func (w *world) summary(from, to int) Measure {
	casts := w.book.casts[from:to]
	if len(casts) == 0 {
		return Measure{}
	}
	m := Measure{Broadcasts: len(casts), Least: 1}
	half := len(casts) / 2
	for i := range casts {
		c := &casts[i]
		reliability := float64(c.had) / float64(max(1, c.live))
		m.Reliability += reliability
		m.Least = min(m.Least, reliability)
		rmr := 0.0
		if c.count > 1 {
			rmr = float64(c.payloads)/float64(c.count-1) - 1
		}
		if i == 0 {
			m.FirstRMR, m.FirstHop = rmr, float64(c.hops)
		}
		if i >= half {
			m.Late += reliability
			m.RMR += rmr
			m.LastHop += float64(c.hops)
			m.Latency += time.Duration(c.last - c.at)
		}
	}
	m.Reliability /= float64(len(casts))
	late := len(casts) - half
	m.Late /= float64(late)
	m.RMR /= float64(late)
	m.LastHop /= float64(late)
	m.Latency /= time.Duration(late)
	return m
}

func (r *Report) take(w *world) {
	r.Elapsed, r.Events = w.elapsed(), w.steps
	r.Sent, r.Lost, r.Doubled = w.counts.sent, w.counts.lost, w.counts.doubled
	r.Suspected, r.Evicted = w.counts.suspected, w.counts.evicted
	r.Living, r.Missed, r.Transcript = w.living, w.missed, w.log.hash
	r.Stopped = w.ctx.Err() != nil
	r.Violations, r.Beyond = slices.Clone(w.found), w.beyond
}

// errorsOf says what has ended a run before it was complete.
func errorsOf(ctx context.Context, w *world) error {
	var errs []error
	if err := ctx.Err(); err != nil {
		errs = append(errs, fmt.Errorf("sim: stopped after %v of simulated time: %w", w.elapsed(), err))
	}
	if w.log.err != nil {
		errs = append(errs, fmt.Errorf("sim: transcript: %w", w.log.err))
	}
	return errors.Join(errs...)
}

// WriteTo writes a table for people to read.
func (r *Report) WriteTo(out io.Writer) (int64, error) {
	counted := &counter{out: out}
	t := tabwriter.NewWriter(counted, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "broadcasts\tnumber\treliability\tleast\tlate\tRMR\tfirst\tlast hop\tfirst\tlatency\t")
	for _, row := range []struct {
		name string
		m    Measure
	}{{"stable", r.Stable}, {"flooded", r.Flooded}, {"after crash", r.Killed}, {"healed", r.Sound}} {
		if m := row.m; m.Broadcasts > 0 {
			_, _ = fmt.Fprintf(t, "%s\t%d\t%.4f\t%.4f\t%.4f\t%.3f\t%.3f\t%.1f\t%.0f\t%v\t\n", row.name, m.Broadcasts,
				m.Reliability, m.Least, m.Late, m.RMR, m.FirstRMR, m.LastHop, m.FirstHop, m.Latency.Round(time.Millisecond))
		}
	}
	_ = t.Flush()
	_, _ = fmt.Fprintf(counted, "%.2f neighbors each on average, %v from each other\n",
		r.Degree, r.Cost.Round(100*time.Microsecond))
	if r.Config.Kill > 0 {
		_, _ = fmt.Fprintf(counted, "after the crash of %.4g %%: one graph after %s, no dead neighbors after %s\n",
			100*r.Config.Kill, lasted(r.Healed.Connected), lasted(r.Healed.Clean))
	}
	if r.Config.Directory {
		_, _ = fmt.Fprintf(counted, "live nodes were suspected %d times, and taken for dead %d times", r.Suspected, r.Evicted)
		if r.Config.Kill > 0 {
			_, _ = fmt.Fprintf(counted, "; all know the members after %s", lasted(r.Healed.Agreed))
		}
		_, _ = fmt.Fprintln(counted)
	}
	_, _ = fmt.Fprintf(counted, "%d nodes live; %d events in %v, %d messages, %d lost, %d doubled; transcript %016x\n",
		r.Living, r.Events, r.Elapsed.Round(time.Millisecond), r.Sent, r.Lost, r.Doubled, r.Transcript)
	return counted.n, counted.err
}

func lasted(d time.Duration) string {
	if d < 0 {
		return "ever more"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s, " + strconv.FormatFloat(Cycles(d), 'f', 2, 64) + " cycles"
}

// counter counts what is written, until the first error.
type counter struct {
	out io.Writer
	n   int64
	err error
}

func (c *counter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.out.Write(p)
	c.n, c.err = c.n+int64(n), err
	return n, err
}
