package adaptive

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/remote"
)

const ms = time.Millisecond

func at(d time.Duration) time.Time { return time.Unix(1_000_000, 0).Add(d) }

func newCore(t interface{ Fatal(...any) }, cfg Config) *Core {
	c, err := NewCore(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEachDefaultRuleCountsWhereItShould(t *testing.T) {
	for _, c := range []struct {
		rule string
		m    Metrics
	}{
		{"parted", Metrics{Nodes: 3, P50: ms, Parted: true}},
		{"parted", Metrics{Nodes: 3000, P50: time.Second, Parted: true}},
		{"large", Metrics{Nodes: 101, P50: ms}},
		{"large", Metrics{Nodes: 101, P50: time.Second}},
		{"otherwise", Metrics{Nodes: 100, P50: ms}},
		{"otherwise", Metrics{Nodes: 20, P50: ms}},
		{"small and near", Metrics{Nodes: 19, P50: 9 * ms, P99: time.Second}},
		{"small and near", Metrics{Nodes: 1}},
		{"otherwise", Metrics{Nodes: 19, P50: 10 * ms}},
	} {
		c.m.Topology = none
		rules := DefaultRules()
		if i := first(rules, c.m); i < 0 || rules[i].Name != c.rule {
			t.Errorf("%+v: rule %d, want %q", c.m, i, c.rule)
		}
	}
}

func TestOrderOfTheDefaultRulesMatters(t *testing.T) {
	rules := DefaultRules()
	slices.Reverse(rules)
	if got := unreachable(rules); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("of the rules in the opposite order, %v never count", got)
	}
	if got := unreachable(DefaultRules()); got != nil {
		t.Errorf("of the default rules, %v never count", got)
	}
}

func TestRuleThatCanNeverCountIsAMistake(t *testing.T) {
	nodes := func(above, below int) Range[int] {
		return Range[int]{Above: Band[int]{above, above}, Below: Band[int]{below, below}}
	}
	latency := func(above time.Duration) Range[time.Duration] {
		return Range[time.Duration]{Above: Band[time.Duration]{above, above}}
	}
	for name, c := range map[string]struct {
		rules []Rule
		never []int
	}{
		"covered by two together": {[]Rule{
			{Name: "a", Nodes: nodes(0, 10)}, {Name: "b", Nodes: Range[int]{Above: Band[int]{8, 8}}}, {Name: "c"},
		}, []int{2}},
		"a gap between them": {[]Rule{
			{Name: "a", Nodes: nodes(0, 10)}, {Name: "b", Nodes: Range[int]{Above: Band[int]{10, 10}}}, {Name: "c"},
		}, nil},
		"contradicts itself":      {[]Rule{{Name: "a", Nodes: nodes(10, 11)}}, []int{0}},
		"less than its median":    {[]Rule{{Name: "a", P50: latency(time.Second), P99: Range[time.Duration]{Below: Band[time.Duration]{ms, ms}}}}, []int{0}},
		"the same latency twice":  {[]Rule{{Name: "a", P99: latency(ms)}, {Name: "b", P50: latency(ms)}}, []int{1}},
		"parted covers the other": {[]Rule{{Name: "a"}, {Name: "b", Parted: true}}, []int{1}},
		"less than one node":      {[]Rule{{Name: "a", Nodes: nodes(-5, 1)}}, []int{0}},
		"rates":                   {[]Rule{{Name: "a", Rate: Range[float64]{Above: Band[float64]{5, 4}}}, {Name: "b", Rate: Range[float64]{Above: Band[float64]{6, 4}}}}, []int{1}},
	} {
		if got := unreachable(c.rules); !slices.Equal(got, c.never) {
			t.Errorf("%s: %v never count, want %v", name, got, c.never)
		}
		if _, err := NewCore(Config{Rules: c.rules}); errors.Is(err, ErrUnreachable) != (len(c.never) > 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func drawMetrics(t *rapid.T) Metrics {
	p50 := time.Duration(rapid.IntRange(0, 30).Draw(t, "p50")) * ms
	return Metrics{
		Topology: remote.Topology(rapid.IntRange(0, 4).Draw(t, "topology")),
		Nodes:    rapid.IntRange(1, 130).Draw(t, "nodes"),
		Rate:     float64(rapid.IntRange(0, 20).Draw(t, "rate")),
		P50:      p50,
		P99:      p50 + time.Duration(rapid.IntRange(0, 30).Draw(t, "more"))*ms,
		Parted:   rapid.Bool().Draw(t, "parted"),
	}
}

func drawRange[T Number](t *rapid.T, unit T, most int) (r Range[T]) {
	if rapid.Bool().Draw(t, "above") {
		enter := rapid.IntRange(1, most).Draw(t, "enter")
		r.Above = Band[T]{T(enter) * unit, T(rapid.IntRange(0, enter).Draw(t, "leave")) * unit}
	}
	if rapid.Bool().Draw(t, "below") {
		enter := rapid.IntRange(1, most).Draw(t, "enter")
		r.Below = Band[T]{T(enter) * unit, T(rapid.IntRange(enter, most).Draw(t, "leave")) * unit}
	}
	return r
}

func TestRuleSaidNeverToCountNeverDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			rules = append(rules, Rule{
				Name: "r", Parted: rapid.Bool().Draw(t, "parted"),
				Nodes: drawRange(t, 1, 120), Rate: drawRange(t, 1.0, 20), P50: drawRange(t, ms, 30), P99: drawRange(t, ms, 60),
			})
		}
		never := unreachable(rules)
		for range 200 {
			m := drawMetrics(t)
			m.Topology = none
			if i := first(rules, m); slices.Contains(never, i) {
				t.Fatalf("rule %d counts at %+v", i, m)
			}
		}
	})
}

func TestChangeWaitsUntilItsRuleHasHeldForLongEnough(t *testing.T) {
	c := newCore(t, Config{Hold: 30 * time.Second, CoolDown: time.Minute})
	m := Metrics{Topology: remote.FullMesh, Nodes: 5}
	steps := []struct {
		at     time.Duration
		nodes  int
		do     bool
		rule   string
		parted bool
	}{
		{0, 5, false, "small and near", false},
		{10 * time.Second, 150, false, "large", false},
		{39 * time.Second, 150, false, "large", false},
		{39500 * ms, 50, false, "otherwise", false}, // it begins anew
		{40 * time.Second, 150, false, "large", false},
		{69 * time.Second, 150, false, "large", false},
		{70 * time.Second, 150, true, "large", false},
		{71 * time.Second, 150, false, "large", false}, // it was not done
		{129 * time.Second, 150, false, "large", false},
		{130 * time.Second, 150, true, "large", false}, // so once more
	}
	for _, s := range steps {
		m.Nodes, m.Parted = s.nodes, s.parted
		if d := c.Step(at(s.at), m); d.Switch != s.do || d.Rule != s.rule {
			t.Fatalf("at %v: %+v", s.at, d)
		}
	}
	// It is done now: nothing until it has cooled down, but for a partition.
	m.Topology = remote.HyParView
	m.Nodes = 5
	for s := 131; s < 190; s++ {
		if d := c.Step(at(time.Duration(s)*time.Second), m); d.Switch {
			t.Fatalf("at %d s: %+v", s, d)
		}
	}
	m.Parted = true
	if d := c.Step(at(190*time.Second), m); d.Switch || d.To != remote.Gossip || d.Due != at(192*time.Second) {
		t.Fatalf("%+v", d)
	}
	if d := c.Step(at(192*time.Second), m); !d.Switch {
		t.Fatalf("an urgent change waits: %+v", d)
	}
}

func TestChangeThatOthersMadeIsFollowedByAPauseToo(t *testing.T) {
	c := newCore(t, Config{Hold: time.Second, CoolDown: time.Minute})
	m := Metrics{Topology: remote.ClientServer, Nodes: 5}
	c.Step(at(0), m)
	m.Topology = remote.HyParView // by hand
	if d := c.Step(at(2*time.Second), m); d.Switch || d.Due != at(62*time.Second) {
		t.Errorf("%+v", d)
	}
}

func TestNothingChangesWhenNoRuleHolds(t *testing.T) {
	c := newCore(t, Config{Rules: []Rule{{Name: "huge", Topology: remote.HyParView, Nodes: Range[int]{Above: Band[int]{1000, 900}}}}})
	for _, topology := range []remote.Topology{remote.FullMesh, remote.Static} {
		if d := c.Step(at(0), Metrics{Topology: topology, Nodes: 3}); d != (Decision{From: topology, To: topology}) {
			t.Errorf("%+v", d)
		}
	}
}

func TestRateThatIsNoNumberCountsAsNone(t *testing.T) {
	c := newCore(t, Config{Rules: []Rule{{Name: "busy", Topology: remote.HyParView, Rate: Range[float64]{Above: Band[float64]{10, 5}}}}})
	for _, rate := range []float64{math.NaN(), -1, math.Inf(-1)} {
		if d := c.Step(at(0), Metrics{Nodes: 1, Rate: rate}); d.Rule != "" {
			t.Errorf("rate %v: %+v", rate, d)
		}
	}
	if d := c.Step(at(0), Metrics{Nodes: 1, Rate: math.Inf(1)}); d.Rule != "busy" {
		t.Errorf("%+v", d)
	}
}

// TestNoiseWithinABandChangesTheTopologyOnceAtMost puts each default threshold
// under a metric that wavers around it for days.
func TestNoiseWithinABandChangesTheTopologyOnceAtMost(t *testing.T) {
	for name, noise := range map[string]func(rng *rand.Rand, m *Metrics){
		"large": func(rng *rand.Rand, m *Metrics) { m.Nodes = 81 + rng.IntN(39) },
		"small": func(rng *rand.Rand, m *Metrics) { m.Nodes, m.P50 = 17+rng.IntN(8), ms },
		"near": func(rng *rand.Rand, m *Metrics) {
			m.Nodes, m.P50 = 5, 6*ms+time.Duration(rng.IntN(9000))*time.Microsecond
		},
		"both": func(rng *rand.Rand, m *Metrics) {
			m.Nodes, m.P50 = 17+rng.IntN(8), 6*ms+time.Duration(rng.IntN(9000))*time.Microsecond
		},
		"transient": func(rng *rand.Rand, m *Metrics) { m.Nodes, m.P50 = 5, time.Duration(rng.IntN(100)/90*100)*ms },
	} {
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 3))
			topology := []remote.Topology{remote.FullMesh, remote.HyParView, remote.ClientServer, remote.Gossip, remote.Static}[rng.IntN(5)]
			c := newCore(t, Config{})
			m := Metrics{Topology: topology}
			changes := 0
			for now := time.Duration(0); now < 48*time.Hour; now += DefaultInterval {
				noise(rng, &m)
				if d := c.Step(at(now), m); d.Switch {
					m.Topology = d.To
					changes++
				}
			}
			most := 2 // first to wherever, then to where it stays
			if topology == remote.ClientServer || topology == map[bool]remote.Topology{true: remote.HyParView}[name == "large"] {
				most = 1
			}
			if changes > most {
				t.Errorf("%s, seed %d, from %v: %d changes", name, seed, topology, changes)
			}
		}
	}
}

// TestChangesKeepTheirDistance lets metrics do whatever they like.
func TestChangesKeepTheirDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Hold:     time.Duration(rapid.IntRange(1, 20).Draw(t, "hold")) * time.Second,
			CoolDown: time.Duration(rapid.IntRange(1, 60).Draw(t, "cool")) * time.Second,
		}
		c := newCore(t, cfg)
		m := drawMetrics(t)
		var now, last, since time.Duration
		changed, rule := false, ""
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(1, 10_000).Draw(t, "pause")) * ms
			if rapid.IntRange(0, 3).Draw(t, "same") == 0 {
				topology := m.Topology
				m = drawMetrics(t)
				m.Topology = topology
			}
			d := c.Step(at(now), m)
			if d.Rule != rule {
				rule, since = d.Rule, now
			}
			if !d.Switch {
				continue
			}
			hold, pause := cfg.Hold, cfg.CoolDown
			if rule == "parted" {
				hold, pause = partedHold, partedHold
			}
			if now-since < hold && since > 0 || changed && now-last < pause {
				t.Fatalf("%+v at %v; the rule counts since %v, the last change was at %v", d, now, since, last)
			}
			changed, last = true, now
			m.Topology = d.To
		}
	})
}

func TestEveryMistakeOfAConfigIsReported(t *testing.T) {
	cfg := Config{Hold: -1, Rules: []Rule{
		{Topology: none, Hold: -1, Nodes: Range[int]{Above: Band[int]{5, 6}, Below: Band[int]{9, 8}}}, {Name: "x"}, {Name: "y"},
	}}
	err := cfg.valid()
	for _, want := range []string{"Name is empty", "Cluster is nil", "negative Interval", "no name", "negative Hold", "no topology",
		"Nodes.Above is left at 6", "Nodes.Below is left at 8", `rule 3, "y": adaptive: rule never counts`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if err := validRules(make([]Rule, maxRules+1)); err == nil {
		t.Error("too many rules are fine")
	}
}

func TestPercentilesAreNearestRanks(t *testing.T) {
	w := window{size: 100}
	if p50, p99 := w.percentiles(); p50 != 0 || p99 != 0 {
		t.Errorf("of nothing: %v, %v", p50, p99)
	}
	for i := range 1000 {
		w.add(time.Duration(i) * ms)
	}
	if p50, p99 := w.percentiles(); p50 != 949*ms || p99 != 998*ms || len(w.samples) != 100 {
		t.Errorf("of 900 to 999 ms: %v, %v", p50, p99)
	}
}
