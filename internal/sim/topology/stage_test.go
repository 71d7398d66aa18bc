package topology

import (
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

func TestStageShowsWhatANodeDoesAndWhen(t *testing.T) {
	p := pals("")
	core, err := p.New(0, Node("a1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, does := NewStage(t, core, p)
	if does != "" {
		t.Errorf("it begins with %q", does)
	}
	for _, c := range []struct {
		at    time.Duration
		lines string
		want  string
	}{
		{time.Second, "met b1\nup b1\n", "1s dial b1\n1s NEIGHBOR b1\n1s send b1 hello\n"},
		{2 * time.Second, "from b1 how are you", ""},
		{3 * time.Second, "\naccepted c2\ndown b1\n", "3s NEIGHBOR c2\n3s send c2 hello\n3s NO NEIGHBOR b1\n"},
		{4 * time.Second, "refused d1\nfailed d1\nduplicate d1\nfound d d1\nnot-found d\nlost d1\njoin d e\n", ""},
		{5 * time.Second, "leave", "5s disconnect c2\n5s NO NEIGHBOR c2\n"},
	} {
		if got := s.At(c.at, c.lines); got != c.want {
			t.Errorf("at %v: %q, want %q", c.at, got, c.want)
		}
	}
	if core.beats != 6 {
		t.Errorf("%d ticks in five seconds, and at first", core.beats)
	}
	for _, line := range []string{"dance", "up", "up x", "from b1", "from", "found a", "met 1x"} {
		if _, err := event(line, p.Hear); err == nil {
			t.Errorf("%q is an event", line)
		}
	}
	wrong := pals("invariant")
	if why := verdict(func(t Test) { s, _ := NewStage(t, &pal{wrong: "invariant"}, wrong); s.At(time.Minute, "") }); why == "" {
		t.Error("a broken invariant is not noticed")
	}
}

func TestNamesAreReadAsTheyAreWritten(t *testing.T) {
	nodes := []overlay.Node{{Name: "a@a", Boot: 1}, {Name: "xyz@xyz", Boot: 12}}
	if got := Names(nodes); got != "a1 xyz12" || Node("xyz12") != nodes[1] {
		t.Errorf("%q, %v", got, Node("xyz12"))
	}
	for want, e := range map[string]overlay.Effect{
		"dial a1": overlay.Dial{Node: nodes[0]}, "probe a": overlay.Probe{Addr: "a"}, "overlay.Up": overlay.Up{},
	} {
		if got := Describe(e, nil); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
