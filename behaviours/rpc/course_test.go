package rpc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

func (s step) String() string {
	return [...]string{"give up", "again", "move", "rebound"}[s]
}

func TestCourseGoesElsewhereOnlyWhereThatIsSafe(t *testing.T) {
	const tries, servers = 2, 2
	other, named, back := options{other: true}, options{named: true}, options{back: true}
	for _, c := range []struct {
		about      string
		idempotent bool
		verdicts   []Verdict
		o          options
		want       string
		unknown    bool
	}{
		{"an answer ends it", true, []Verdict{Final}, other, "give up", false},
		{"a slow server is asked again", false, []Verdict{Again, Again}, options{}, "again, give up", true},
		{"and another one then if it may run twice", true, []Verdict{Again, Again, Again, Again}, other, "again, move, again, give up", true},
		{"but not if it may not", false, []Verdict{Again, Again}, other, "again, give up", true},
		{"an overloaded one has not run it", false, []Verdict{AgainUnrun, AgainUnrun, Final}, other, "again, move, give up", false},
		{"one doubt is enough", false, []Verdict{Again, AgainUnrun}, other, "again, give up", true},
		{"a lost server is left at once", true, []Verdict{Elsewhere, Final}, other, "move, give up", true},
		{"unless it may have run there", false, []Verdict{Elsewhere}, other, "give up", true},
		{"which a missing process has not", false, []Verdict{ElsewhereUnrun, Final}, other, "move, give up", false},
		{"a process never comes back", true, []Verdict{ElsewhereUnrun}, options{}, "give up", false},
		{"but a name finds its successor", false, []Verdict{ElsewhereUnrun, ElsewhereUnrun}, named, "rebound, give up", false},
		{"which must not run what its predecessor may have run", false, []Verdict{Elsewhere}, named, "give up", true},
		{"unless that does no harm", true, []Verdict{Elsewhere, Final}, named, "rebound, give up", true},
		{"a node comes back with what its server remembers", false, []Verdict{Elsewhere, Final}, back, "again, give up", true},
	} {
		co := course{tries: tries, servers: servers, idempotent: c.idempotent}
		var steps []string
		for _, v := range c.verdicts {
			co.began()
			steps = append(steps, co.failed(v, c.o).String())
		}
		if got := strings.Join(steps, ", "); got != c.want || co.unknown != c.unknown {
			t.Errorf("%s: %s (unknown %v), want %s (%v)", c.about, got, co.unknown, c.want, c.unknown)
		}
	}
}

func TestJudgeKnowsWhatCanHelp(t *testing.T) {
	own := errors.New("no such user")
	remote1 := func(err error) error { return &actor.CallError{To: actor.Name("x"), Err: err} }
	for err, want := range map[error]Verdict{
		fmt.Errorf("%w: %w", ErrServer, own):                   Final,
		fmt.Errorf("%w: %w", ErrServer, actor.ErrTimeout):      Final, // of a call that the handler made
		fmt.Errorf("%w: %w", ErrServer, actor.ErrNoConnection): Final,
		fmt.Errorf("%w: %w", ErrServer, Retry(own)):            AgainUnrun,
		ErrOverloaded:                           AgainUnrun,
		actor.ErrMailboxFull:                    AgainUnrun,
		remote.ErrQueueFull:                     AgainUnrun,
		remote1(actor.ErrTimeout):               Again,
		actor.ErrNoProc:                         ElsewhereUnrun,
		actor.ErrNoConnection:                   Elsewhere,
		codec.ErrUnknownType:                    Final,
		ErrForgotten:                            Final,
		remote1(actor.ErrKilled):                Elsewhere,
		remote1(own):                            Elsewhere, // why the server has ended
		remote1(actor.ErrNoProc):                ElsewhereUnrun,
		remote1(remote1(actor.ErrNoProc)):       Elsewhere, // of a call of the server's, which has ended with it
		remote1(remote1(actor.ErrMailboxFull)):  Elsewhere,
		errors.Join(ErrForgotten, ErrNoSession): Final,
	} {
		if got := Judge(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}
