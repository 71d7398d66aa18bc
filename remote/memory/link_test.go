package memory

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// arrivals writes to a, letter by letter, and returns when each comes at b. It
// runs in a bubble.
func arrivals(t *testing.T, a, b net.Conn, letters string, every time.Duration) (times []time.Duration) {
	t.Helper()
	begun := time.Now()
	go func() {
		for _, c := range []byte(letters) {
			_, _ = a.Write([]byte{c})
			time.Sleep(every)
		}
	}()
	for _, c := range letters {
		read(t, b, string(c))
		times = append(times, time.Since(begun))
	}
	return times
}

func TestEachDirectionOfEachLinkIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.SetLink("a", "b", Link{Latency: time.Second})
		n.SetLatency(time.Minute) // of all the others
		if got := arrivals(t, a, b, "x", 0)[0]; got != time.Second {
			t.Errorf("from a to b: %v", got)
		}
		if got := arrivals(t, b, a, "x", 0)[0]; got != time.Minute {
			t.Errorf("from b to a: %v", got)
		}
		if is := n.Link("a", "b"); is != (Link{Latency: time.Second}) {
			t.Errorf("from a to b: %+v", is)
		}
	})
}

func TestConnectingTakesARoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetLink("a", "b", Link{Latency: time.Second})
		n.SetLink("b", "a", Link{Latency: 2 * time.Second})
		begun := time.Now()
		dial(t, n)
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("connecting took %v", took)
		}
		begun = time.Now()
		if _, err := n.Host("b").Dial(t.Context(), "a:99"); !errors.Is(err, syscall.ECONNREFUSED) || time.Since(begun) != 3*time.Second {
			t.Errorf("dial: %v after %v", err, time.Since(begun))
		}
	})
}

func TestJitterKeepsTheOrderAndIsRepeatedBySeed(t *testing.T) {
	jittered := func(seed uint64) (times []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			n := New(Config{Seed: seed})
			a, b := dial(t, n)
			n.SetLink("a", "b", Link{Latency: time.Second, Jitter: time.Second})
			times = arrivals(t, a, b, strings.Repeat("abcdefghij", 3), 100*time.Millisecond)
		})
		return times
	}
	times := jittered(1)
	for i, at := range times {
		sent := time.Duration(i) * 100 * time.Millisecond
		if at < sent+time.Second || at > sent+2*time.Second {
			t.Errorf("byte %d, sent at %v, arrived at %v", i, sent, at)
		}
	}
	if !slices.Equal(times, jittered(1)) {
		t.Error("the same seed gave other times")
	}
	if slices.Equal(times, jittered(2)) {
		t.Error("another seed gave the same times")
	}
}

func TestBandwidthIsSharedByTheConnectionsOfALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		other, _ := dial(t, n)
		n.SetLink("a", "b", Link{Bandwidth: 32 << 10, Latency: time.Second})
		begun := time.Now()
		write(t, other, strings.Repeat("y", 32<<10))
		data := strings.Repeat("x", 64<<10)
		write(t, a, data)
		read(t, b, data[:16<<10])
		if took := time.Since(begun); took != 2500*time.Millisecond {
			t.Errorf("the first quarter took %v", took)
		}
		read(t, b, data[16<<10:])
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("all of it took %v", took)
		}
	})
}

func TestLinkThatBreaksEndsConnectionsAtRandomBySeed(t *testing.T) {
	broken := func(seed uint64) (writes []int) {
		synctest.Test(t, func(t *testing.T) {
			var told []string
			n := New(Config{Seed: seed, Broken: func(from, to string) { told = append(told, fmt.Sprint(from, " to ", to)) }})
			n.SetLink("a", "b", Link{Breaks: 0.1})
			for range 20 {
				a, b := dial(t, n)
				count := 0
				for ; ; count++ {
					if _, err := a.Write([]byte("x")); err != nil {
						if !errors.Is(err, syscall.ECONNRESET) {
							t.Errorf("write: %v", err)
						}
						break
					}
					read(t, b, "x")
				}
				if _, err := b.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("read: %v", err)
				}
				writes = append(writes, count)
			}
			if len(told) != 20 || told[0] != "a to b" {
				t.Errorf("told of %q", told)
			}
		})
		return writes
	}
	writes, sum := broken(1), 0
	for _, n := range writes {
		sum += n
	}
	if sum < 100 || sum > 300 {
		t.Errorf("20 connections lasted for %v writes", writes)
	}
	if !slices.Equal(writes, broken(1)) || slices.Equal(writes, broken(2)) {
		t.Error("it does not depend on the seed alone")
	}
}

func TestFasterLinkSpeedsUpWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.SetLink("a", "b", Link{Bandwidth: 1})
		write(t, a, strings.Repeat("x", 1000))
		time.Sleep(time.Second)
		n.SetLink("a", "b", Link{Latency: time.Second})
		write(t, a, "y")
		begun := time.Now()
		read(t, b, strings.Repeat("x", 1000)+"y")
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it took %v", took)
		}
		write(t, a, "z")
		n.SetLink("a", "b", Link{Latency: time.Hour}) // slower only for what comes later
		read(t, b, "z")
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestFasterLinkSpeedsUpConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetLatency(time.Hour)
		begun := time.Now()
		time.AfterFunc(time.Second, func() { n.SetLatency(time.Second) })
		dial(t, n)
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestEndOfAConnectionTravelsLikeItsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.SetLatency(time.Second)
		begun := time.Now()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Read(make([]byte, 1)); err != io.EOF || time.Since(begun) != time.Second {
			t.Errorf("read: %v after %v", err, time.Since(begun))
		}
	})
}

// Outside a bubble everything takes real time.
func TestNetworkWorksInRealTimeToo(t *testing.T) {
	n := NewNetwork()
	n.SetLatency(5 * time.Millisecond)
	begun := time.Now()
	a, b := dial(t, n)
	write(t, a, "x")
	read(t, b, "x")
	if took := time.Since(begun); took < 15*time.Millisecond {
		t.Errorf("three ways of 5 ms took %v", took)
	}
}

// Readers, writers and changes to the network meet each other in any order.
func TestChangesDuringTrafficLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.SetLink("a", "b", Link{Latency: time.Millisecond, Jitter: 5 * time.Millisecond, Bandwidth: 1 << 20})
		data := make([]byte, 1<<20)
		for i := range data {
			data[i] = byte(i * 7 >> 3)
		}
		go func() {
			for rest := data; len(rest) > 0; {
				m, err := a.Write(rest[:min(len(rest), 10_000)])
				if err != nil {
					t.Error(err)
					return
				}
				rest = rest[m:]
			}
			_ = a.Close()
		}()
		go func() {
			for range 50 {
				for _, change := range []func(){
					func() { n.Block("a", "b") }, func() { n.Unblock("a", "b") },
					func() { n.Block("b", "a") }, func() { n.Unblock("b", "a") },
					func() { n.Freeze("b") }, func() { n.Freeze("a") }, func() { n.Thaw("a") }, func() { n.Thaw("b") },
				} {
					change()
					time.Sleep(3 * time.Millisecond)
				}
			}
		}()
		if got, err := io.ReadAll(b); err != nil || string(got) != string(data) {
			t.Errorf("%d bytes of %d arrived as they were: %v", len(got), len(data), err)
		}
	})
}
