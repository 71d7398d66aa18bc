package discovery

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a source that says what the test wants.
type script struct {
	mu    sync.Mutex
	set   []string
	err   error
	hang  bool
	asked []time.Time
}

func (s *script) Lookup(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, time.Now())
	if s.hang {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return nil, ctx.Err()
	}
	return s.set, s.err
}

func (s *script) say(set []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set, s.err, s.hang = set, err, false
}

// gaps returns the pauses between lookups.
func (s *script) gaps() (gaps []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.asked); i++ {
		gaps = append(gaps, s.asked[i].Sub(s.asked[i-1]))
	}
	return gaps
}

func start(t *testing.T, cfg Config) (*Discovery, func() [][]string) {
	t.Helper()
	var mu sync.Mutex
	var found [][]string
	cfg.Found = func(c []string) {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, c)
	}
	d, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d, func() [][]string {
		mu.Lock()
		defer mu.Unlock()
		return found
	}
}

func TestSourcesAreMergedAndToldWhenTheSetChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &script{set: []string{"h:2", "h:1", "h:2"}}, &script{err: errors.New("broken")}
		d, found := start(t, Config{Sources: []Source{Static{"n@h:3", "h:1"}, a, b}})
		synctest.Wait()
		want := []string{"h:1", "h:2", "n@h:3"}
		if got := d.Candidates(); !slices.Equal(got, want) {
			t.Fatalf("%v", got)
		}
		calls := len(found())
		time.Sleep(10 * time.Minute)
		if n := len(found()); n != calls {
			t.Errorf("%d calls without a change", n-calls)
		}
		b.say([]string{"h:4"}, nil)
		a.say([]string{"h:2"}, nil) // h:1 is still in the list
		time.Sleep(time.Minute + 10*time.Second)
		if got := found(); !slices.Equal(got[len(got)-1], []string{"h:1", "h:2", "h:4", "n@h:3"}) || len(got) != calls+1 {
			t.Errorf("%v", got)
		}
	})
}

func TestCandidateStaysUntilALookupSucceedsWithoutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{set: []string{"h:1", "h:2"}}
		d, found := start(t, Config{Sources: []Source{s}})
		synctest.Wait()
		for _, failure := range []func(){
			func() { s.say(nil, errors.New("broken")) },
			func() { s.say([]string{"h:1"}, errors.New("partial")) },
			func() { s.say([]string{"h:1", "what"}, nil) },
			func() { s.say(make([]string, DefaultMaxCandidates+1), nil) },
			func() { s.mu.Lock(); s.hang = true; s.mu.Unlock() },
		} {
			failure()
			time.Sleep(3 * time.Minute)
			if got := d.Candidates(); !slices.Equal(got, []string{"h:1", "h:2"}) || len(found()) != 1 {
				t.Fatalf("%v, told %d times", got, len(found()))
			}
		}
		s.say([]string{"h:1"}, nil)
		time.Sleep(2 * time.Minute)
		if got := d.Candidates(); !slices.Equal(got, []string{"h:1"}) {
			t.Errorf("%v", got)
		}
		s.say([]string{}, nil) // a source that succeeds with none has none
		time.Sleep(2 * time.Minute)
		if got := d.Candidates(); len(got) != 0 || len(found()) != 3 {
			t.Errorf("%v, told %d times", got, len(found()))
		}
	})
}

func TestFailingSourceIsAskedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{err: errors.New("broken")}
		start(t, Config{Sources: []Source{s}, Jitter: -1, Interval: time.Hour, RetryMin: time.Second, RetryMax: 6 * time.Second})
		time.Sleep(20 * time.Second)
		s.say([]string{"h:1"}, nil)
		time.Sleep(2 * time.Hour)
		s.say(nil, errors.New("broken again"))
		time.Sleep(time.Hour + 2*time.Second)
		const sec = time.Second
		want := []time.Duration{sec, 2 * sec, 4 * sec, 6 * sec, 6 * sec, 6 * sec, time.Hour, time.Hour, sec, 2 * sec}
		if got := s.gaps(); !slices.Equal(got[:len(want)], want) {
			t.Errorf("pauses %v, want %v", got, want)
		}
	})
}

func TestSlowSourceHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := &script{hang: true}, &script{set: []string{"h:1"}}
		var timeouts atomic.Int64
		d, _ := start(t, Config{
			Sources: []Source{slow, quick}, Timeout: time.Second,
			Failed: func(_ Source, err error) {
				if errors.Is(err, context.DeadlineExceeded) {
					timeouts.Add(1)
				}
			},
		})
		synctest.Wait()
		if got := d.Candidates(); len(got) != 1 {
			t.Errorf("%v", got)
		}
		time.Sleep(10 * time.Second)
		if timeouts.Load() < 2 {
			t.Errorf("%d timeouts", timeouts.Load())
		}
	})
}

func TestPanicOfASourceIsAFailedLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []error
		var mu sync.Mutex
		d, _ := start(t, Config{
			Sources: []Source{Static{"h:1"}, Func(func(context.Context) ([]string, error) { panic("oops") })},
			Failed: func(_ Source, err error) {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			},
		})
		time.Sleep(10 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if len(failures) < 2 || !errors.Is(failures[0], ErrPanicked) || len(d.Candidates()) != 1 {
			t.Errorf("%v; candidates %v", failures, d.Candidates())
		}
	})
}

func TestNothingIsCalledAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging, working := &script{hang: true}, &script{set: []string{"h:1"}}
		d, found := start(t, Config{Sources: []Source{hanging, working}})
		synctest.Wait()
		var closing sync.WaitGroup
		for range 3 {
			closing.Go(d.Close)
		}
		closing.Wait()
		working.say([]string{"h:2"}, nil)
		time.Sleep(time.Hour)
		if got := found(); len(got) != 1 || len(working.gaps()) != 0 {
			t.Errorf("%v after Close", got)
		}
		d.Close()
	})
}

func TestCloseWaitsForTheCallInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var returned atomic.Bool
		d, err := Start(Config{Sources: []Source{Static{"h:1"}}, Found: func([]string) {
			time.Sleep(time.Minute)
			returned.Store(true)
		}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		d.Close()
		if !returned.Load() {
			t.Error("Close did not wait")
		}
	})
}

// bell is a source that is watched.
type bell struct {
	script
	changed chan struct{}
	fail    chan error
	watches atomic.Int64
}

func (b *bell) Watch(ctx context.Context, changed func()) error {
	b.watches.Add(1)
	for {
		select {
		case <-b.changed:
			changed()
		case err := <-b.fail:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

func TestWatchedSourceIsLookedUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bell{changed: make(chan struct{}), fail: make(chan error)}
		b.set = []string{"h:1"}
		d, _ := start(t, Config{Sources: []Source{b}, Interval: 24 * time.Hour})
		synctest.Wait()
		b.say([]string{"h:2"}, nil)
		b.changed <- struct{}{}
		synctest.Wait()
		if got := d.Candidates(); !slices.Equal(got, []string{"h:2"}) {
			t.Errorf("%v", got)
		}
		b.fail <- errors.New("too many watches")
		time.Sleep(5 * time.Second)
		if n := b.watches.Load(); n != 2 {
			t.Errorf("watched %d times", n)
		}
		b.say([]string{"h:3"}, nil)
		b.changed <- struct{}{}
		synctest.Wait()
		if got := d.Candidates(); !slices.Equal(got, []string{"h:3"}) {
			t.Errorf("after the watch had failed: %v", got)
		}
	})
}

func TestPausesStayWithinTheirJitter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pace{
			interval: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "interval")),
			retryMin: time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "min")),
			jitter:   rapid.Float64Range(0, 1).Draw(t, "jitter"),
			rand:     rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)),
		}
		p.retryMax = p.retryMin + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "max"))
		within := func(got, want time.Duration) bool {
			spread := time.Duration(p.jitter*float64(want)) + 1
			return got >= want-spread && got <= want+spread
		}
		expect := p.retryMin
		for i := range rapid.IntRange(0, 100).Draw(t, "failures") {
			if got := p.next(true); !within(got, expect) {
				t.Fatalf("pause %v after %d failures, want about %v", got, i+1, expect)
			}
			expect = min(2*expect, p.retryMax)
		}
		if got := p.next(false); !within(got, p.interval) {
			t.Fatalf("pause %v, want about %v", got, p.interval)
		}
		if got := p.next(true); !within(got, p.retryMin) {
			t.Fatalf("pause %v after the first failure, want about %v", got, p.retryMin)
		}
	})
}

func TestUnionIsWhatEachSourceSaidLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "sources")
		u := union{sets: make([][]string, n)}
		last := make([]map[string]bool, n)
		var before []string
		for range rapid.IntRange(0, 20).Draw(t, "lookups") {
			i := rapid.IntRange(0, n-1).Draw(t, "source")
			said := rapid.SliceOf(rapid.SampledFrom([]string{"h:1", "h:2", "h:3", "n@h:4"})).Draw(t, "said")
			set, err := clean(said, 1000)
			if err != nil {
				t.Fatal(err)
			}
			changed := u.put(i, set)
			last[i] = make(map[string]bool)
			for _, s := range said {
				last[i][s] = true
			}
			want := make(map[string]bool)
			for _, m := range last {
				for s := range m {
					want[s] = true
				}
			}
			if len(u.all) != len(want) || !slices.IsSorted(u.all) || slices.ContainsFunc(u.all, func(s string) bool { return !want[s] }) {
				t.Fatalf("%v, want %v", u.all, want)
			}
			if changed == slices.Equal(before, u.all) {
				t.Fatalf("changed = %v from %v to %v", changed, before, u.all)
			}
			before = u.all
		}
	})
}

func TestEveryMistakeOfAConfigIsReported(t *testing.T) {
	var none *script
	_, err := Start(Config{
		Sources: []Source{nil, none, Func(nil)}, Interval: -1, Jitter: 2, RetryMin: time.Hour, RetryMax: time.Second,
	})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 7 {
		t.Errorf("%v", err)
	}
}

func FuzzCheckNeverPanicsAndAcceptsOnlyWhatCanBeDialled(f *testing.F) {
	for _, s := range []string{"h:1", "n@h:1", "@h:1", "n@", "[::1]:4000", "h:0", "h:70000", ":1", "a@b@c:1", "h:1\n", "[::1%eth0]:1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if Check(s) != nil {
			return
		}
		if got, err := clean([]string{s, s}, 2); err != nil || !slices.Equal(got, []string{s}) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
		if back, err := parseFile([]byte(s)); (err != nil || !slices.Equal(back, []string{s})) && !slices.Contains([]byte(s), '#') && isPrintable(s) {
			t.Errorf("%q as a line: %q, %v", s, back, err)
		}
	})
}

// isPrintable: white space of other alphabets is trimmed from lines.
func isPrintable(s string) bool {
	return !slices.ContainsFunc([]rune(s), func(r rune) bool { return r < 0x21 || r > 0x7e })
}
