package clustertest_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/clustertest"
)

func TestFailingTestPrintsItsSeedAndSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures, logs := pretend(&fakeTB{TB: t}, func(t testing.TB) {
			c := clustertest.New(t, 3, clustertest.Seed(42))
			c.Pass(time.Second)
			c.Partition([]int{0, 1}, []int{2})
			c.Pass(10 * time.Second)
			c.Heal()
			c.Latency(0, 1, time.Millisecond, time.Second)
			c.Slow(1, 2, 10_000)
			c.Loss(0, 2, 0.001)
			c.Kill(1)
			c.Restart(1)
			c.Pause(0)
			c.Resume(0)
			c.Isolate(2)
			c.Block(0, 1)
			c.Part(1, 2)
			c.HealLink(1, 2)
			c.Cut(0, 1)
			c.Stop(2)
			c.Wipe(2)
			c.Eventually(2*time.Second, func() bool { return false })
			t.Errorf("Eventually has not ended the test")
		})
		if want := []string{"clustertest: not so within 2s"}; !slices.Equal(failures, want) {
			t.Fatalf("it fails with %q", failures)
		}
		if len(logs) != 1 {
			t.Fatalf("%d logs", len(logs))
		}
		// How long stopping takes is the nodes' affair.
		got := regexp.MustCompile(`\+(1[1-9]|2\d)\.\d+s *`).ReplaceAllString(logs[0], "+later ")
		got = regexp.MustCompile(`cut \d+ connections`).ReplaceAllString(got, "cut N connections")
		want := strings.TrimSpace(`
clustertest: seed 42; draw the same again with clustertest.Seed or TOPOS_CLUSTERTEST_SEED=42
schedule:
  +0s          3 nodes have met
  +1s          partition {n0 n1} {n2}
  +11s         heal
  +11s         link n0 and n1: latency 1ms and up to 1s more
  +11s         link n1 and n2: 10000 bytes a second
  +11s         link n0 and n2: 0.001 of writes break
  +11s         kill n1
  +later restart n1
  +later pause n0
  +later resume n0
  +later isolate n2
  +later block n0 to n1
  +later part n1 and n2
  +later heal n1 and n2
  +later cut N connections of n0 and n1
  +later stop n2
  +later wipe the folder of n2
  +later gave up: not so within 2s`)
		if got != want {
			t.Errorf("the log is\n%s\n\nand should be\n%s", got, want)
		}
	})
}

func TestPassingTestPrintsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures, logs := pretend(&fakeTB{TB: t}, func(t testing.TB) { clustertest.New(t, 2) })
		if len(failures) > 0 || len(logs) > 0 {
			t.Errorf("%q, %q", failures, logs)
		}
	})
}

func TestSeedIsAnotherOneEachTimeUnlessGiven(t *testing.T) {
	seed := func(opts ...clustertest.Option) (seed uint64, draw int) {
		clustertest.Run(t, 1, func(t *testing.T, c *clustertest.Cluster) { seed, draw = c.Seed(), c.Rand().Int() }, opts...)
		return seed, draw
	}
	a, _ := seed()
	b, _ := seed()
	if a == b {
		t.Errorf("twice %d", a)
	}
	again, draw := seed(clustertest.Seed(7))
	_, same := seed(clustertest.Seed(7))
	_, other := seed(clustertest.Seed(8))
	if again != 7 || draw != same || draw == other {
		t.Errorf("seed 7 is %d, and draws %d and %d; seed 8 draws %d", again, draw, same, other)
	}
	t.Setenv(clustertest.SeedEnv, "9")
	if got, _ := seed(clustertest.Seed(7)); got != 9 {
		t.Errorf("the environment's seed is %d", got)
	}
}

func TestMistakesFailTheTestAtOnce(t *testing.T) {
	for want, do := range map[string]func(c *clustertest.Cluster){
		"there is no node 2 among 2":            func(c *clustertest.Cluster) { c.Node(2) },
		"there is no node -1":                   func(c *clustertest.Cluster) { c.Isolate(-1) },
		"there is no link from n1 to itself":    func(c *clustertest.Cluster) { c.Part(1, 1) },
		"n1 is in two groups":                   func(c *clustertest.Cluster) { c.Partition([]int{0, 1}, []int{1}) },
		"kill: n0 does not run":                 func(c *clustertest.Cluster) { c.Kill(0); c.Kill(0) },
		"stop: n0 does not run":                 func(c *clustertest.Cluster) { c.Kill(0); c.Stop(0) },
		"pause: n0 does not run":                func(c *clustertest.Cluster) { c.Kill(0); c.Pause(0) },
		"wipe: n0 runs":                         func(c *clustertest.Cluster) { c.Wipe(0) },
		"it became so after 0s":                 func(c *clustertest.Cluster) { c.Never(time.Second, func() bool { return true }) },
		"not 3 members within 1m0s:\nn0 sees [": func(c *clustertest.Cluster) { c.WaitMembers(3) },
	} {
		synctest.Test(t, func(t *testing.T) {
			failures, _ := pretend(&fakeTB{TB: t}, func(t testing.TB) { do(clustertest.New(t, 2)) })
			if len(failures) != 1 || !strings.Contains(failures[0], want) {
				t.Errorf("it fails with %q, want %q", failures, want)
			}
		})
	}
}

func TestNodeThatCannotStartFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := clustertest.WithConfig(func(_ *clustertest.Cluster, i int, cfg *topos.Config) { cfg.Misses = -i })
		failures, _ := pretend(&fakeTB{TB: t}, func(t testing.TB) { clustertest.New(t, 2, wrong) })
		if len(failures) != 1 || !strings.Contains(failures[0], "starting n1") || !strings.Contains(failures[0], "Misses") {
			t.Errorf("it fails with %q", failures)
		}
	})
}

// A test may end in any state, and its nodes end all the same.
func TestClusterUnderFaultsClosesQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		failures, _ := pretend(&fakeTB{TB: t}, func(t testing.TB) {
			c := clustertest.New(t, 4)
			c.Kill(0)
			c.Pause(1)
			c.Partition([]int{1}, []int{2})
			c.Latency(2, 3, time.Minute, 0)
			c.Slow(1, 3, 1)
			c.Loss(1, 2, 1)
		})
		if took := time.Since(begun); len(failures) > 0 || took > time.Second {
			t.Errorf("it took %v: %q", took, failures)
		}
	})
}

func TestEventuallyWaitsAndNeverWatches(t *testing.T) {
	clustertest.Run(t, 1, func(t *testing.T, c *clustertest.Cluster) {
		begun := time.Now()
		after := func(d time.Duration) func() bool { return func() bool { return time.Since(begun) >= d } }
		c.Eventually(time.Hour, after(time.Minute))
		if took := time.Since(begun); took < time.Minute || took > time.Minute+100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		c.Never(time.Minute, after(3*time.Minute))
		if took := time.Since(begun); took < 2*time.Minute {
			t.Errorf("it watched for %v", took)
		}
	})
}

func TestSettlingNeedsABubble(t *testing.T) {
	failures, _ := pretend(new(fakeTB), func(t testing.TB) { clustertest.New(t, 1).Settle() })
	if len(failures) != 1 || !strings.Contains(failures[0], "bubble") {
		t.Errorf("it fails with %q", failures)
	}
}
