package actor_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

var someNode = actor.NodeID{Name: "cart@10.0.0.1:4000", Incarnation: actor.Incarnation{Boot: 1234567, Unique: "Xy-9"}}

func TestPIDTextRoundTrips(t *testing.T) {
	handle := unique.Make(someNode)
	for text, pid := range map[string]actor.PID{
		"<>":                                 {},
		"<cart@10.0.0.1:4000/qglj-Xy-9/0.1>": actor.MakePID(handle, 1<<28),
		"<cart@10.0.0.1:4000/qglj-Xy-9/268435455.68719476735>": actor.MakePID(handle, 1<<64-1),
	} {
		if got := pid.String(); got != text {
			t.Errorf("String = %s, want %s", got, text)
		}
		if got, err := actor.ParsePID(text); got != pid || err != nil {
			t.Errorf("ParsePID(%s) = %v, %v", text, got, err)
		}
		b, err := json.Marshal(map[actor.PID]actor.PID{pid: pid})
		if err != nil {
			t.Fatal(err)
		}
		var m map[actor.PID]actor.PID
		if err := json.Unmarshal(b, &m); err != nil || m[pid] != pid || len(m) != 1 {
			t.Errorf("JSON %s: %v, %v", b, m, err)
		}
	}
}

func TestPIDComesApartAndTogether(t *testing.T) {
	sys := actortest.NewSystemConfig(t, actor.Config{Node: someNode})
	pid := spawn(t, sys, echo())
	if pid.Node() != someNode || pid.NodeHandle() != sys.NodeHandle() || pid.IsZero() || sys.Node() != someNode {
		t.Errorf("%v is on %v", pid, pid.Node())
	}
	if again := actor.MakePID(pid.NodeHandle(), pid.ID()); again != pid {
		t.Errorf("MakePID = %v", again)
	}
	var zero actor.PID
	if actor.MakePID(pid.NodeHandle(), 0) != zero || actor.MakePID(actor.NodeHandle{}, 7) != zero || !zero.IsZero() || !zero.Node().IsZero() {
		t.Error("zero PIDs are not zero")
	}
}

func TestParsePIDRefusesWhatIsNotCanonical(t *testing.T) {
	for _, s := range []string{
		"", "<", ">", "x", "<x>", "</1.1>", "<n/1-u>", "<n/1-u/>", "<n/1-u/1>", "<n/1-u/1.0>", "<n/1-u/01.1>", "<n/1-u/+1.1>",
		"<n/1-u/268435456.1>", "<n/1-u/1.68719476736>", "<n/1-u/1.1.1>", "<n/1/1.1>", "<n/-u/1.1>", "<n/01-u/1.1>", "<n/A-u/1.1>",
		"<n/1-u/1.1> ", " <n/1-u/1.1>", "<a b/1-u/1.1>", "<a/b/1-u/1.1>", "<n/1-u<>/1.1>",
	} {
		var pid actor.PID
		if err := pid.UnmarshalText([]byte(s)); err == nil || !pid.IsZero() {
			t.Errorf("%q is %v", s, pid)
		}
	}
}

func FuzzParsePID(f *testing.F) {
	f.Add("<>")
	f.Add("<cart@10.0.0.1:4000/qglj-Xy-9/7.1>")
	f.Add("<n/0-/268435455.68719476735>")
	f.Fuzz(func(t *testing.T, s string) {
		pid, err := actor.ParsePID(s)
		if err != nil {
			if !pid.IsZero() {
				t.Errorf("%q: an error and %v", s, pid)
			}
			return
		}
		if pid.String() != s {
			t.Errorf("%q became %q", s, pid)
		}
		if actor.MakePID(pid.NodeHandle(), pid.ID()) != pid {
			t.Errorf("%q does not come apart and together", s)
		}
	})
}

func FuzzParseNodeID(f *testing.F) {
	f.Add("")
	f.Add("cart@10.0.0.1:4000/qglj-Xy-9")
	f.Add("n/0-")
	f.Fuzz(func(t *testing.T, s string) {
		node, err := actor.ParseNodeID(s)
		if err == nil && node.String() != s {
			t.Errorf("%q became %q", s, node)
		}
		if err == nil && !node.IsZero() && strings.ContainsAny(node.Name, "/<> \t\r\n") {
			t.Errorf("%q has the name %q", s, node.Name)
		}
	})
}

func TestNodesAreOrderedByNameThenIncarnation(t *testing.T) {
	order := []actor.NodeID{
		{Name: "a", Incarnation: actor.Incarnation{Boot: 1, Unique: "x"}},
		{Name: "a", Incarnation: actor.Incarnation{Boot: 1, Unique: "y"}},
		{Name: "a", Incarnation: actor.Incarnation{Boot: 2, Unique: "x"}},
		{Name: "b", Incarnation: actor.Incarnation{Boot: 1, Unique: "x"}},
	}
	for i, a := range order {
		for j, b := range order {
			if a.Less(b) != (i < j) {
				t.Errorf("%v < %v is %v", a, b, a.Less(b))
			}
			if i < 3 && j < 3 && a.Incarnation.Newer(b.Incarnation) != (i > j) {
				t.Errorf("%v newer than %v is %v", a, b, a.Incarnation.Newer(b.Incarnation))
			}
		}
	}
}
