package supervisor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unique"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/actor"
)

// TestPlanDoesWhatTheTranscriptsSay runs the transcripts in testdata. Run it with -rewrite to record
// what the plan does now, and commit the changes only if you understand them.
//
// Commands, of which those that start and stop act on an imagined world in
// which a process is started at once and ends when the transcript says so:
//
//	supervise [strategy=] [intensity=] [period=] [auto=]   a supervisor; children in the lines below
//	start CHILD                     StartChild
//	instance [ARG...]               StartInstance
//	restart | terminate | delete ID RestartChild, TerminateChild, DeleteChild
//	terminate pN                    TerminateInstance
//	update [flags as supervise]     UpdateSpec
//	which | count                   WhichChildren, CountChildren
//	end pN REASON                   a process is gone: crash, normal, shutdown, killed or zombie
//	refuse | ignore | accept ID     what the child's start function does from now on
//	wait DURATION                   time passes
//	shutdown                        the supervisor's Terminate begins
//
// A CHILD is an ID and any of: permanent, transient, temporary, worker,
// supervisor, significant, escalate, shutdown=DURATION|brutal_kill|infinity,
// backoff=INITIAL[/MAX[/RESET]].
func TestPlanDoesWhatTheTranscriptsSay(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := &world{t: t, now: time.Unix(0, 0), does: make(map[string]error)}
		datadriven.RunTest(t, path, w.run)
	})
}

// world is what a transcript's plan acts on.
type world struct {
	t    *testing.T
	plan *plan
	now  time.Time
	last uint64 // the last process's number
	does map[string]error
	out  strings.Builder
}

// asker stands for who waits for a reply.
type asker string

func (asker) Reply(any) bool { return true }

var reasons = map[string]error{
	"crash":    errors.New("crash"),
	"normal":   actor.ErrNormal,
	"shutdown": actor.ErrShutdown,
	"killed":   actor.ErrKilled,
	"zombie":   actor.ErrZombie,
}

var testNode = unique.Make(actor.NodeID{Name: "test"})

func number(pid actor.PID) string { return fmt.Sprintf("p%d", pid.ID()) }

func (w *world) pid(text string) actor.PID {
	var n uint64
	if _, err := fmt.Sscanf(text, "p%d", &n); err != nil {
		w.t.Fatalf("%q is no process", text)
	}
	return actor.MakePID(testNode, n)
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	w.out.Reset()
	args := make([]string, 0, len(d.CmdArgs))
	for _, a := range d.CmdArgs {
		args = append(args, a.String())
	}
	w.command(d, args)
	if w.plan == nil {
		return "no supervisor yet\n"
	}
	if err := w.plan.valid(); err != nil {
		t.Errorf("%s: %s: %v", d.Pos, d.Cmd, err)
	}
	if w.out.Len() == 0 {
		return "nothing to do\n"
	}
	return w.out.String()
}

func (w *world) command(d *datadriven.TestData, args []string) {
	ask := asker(strings.TrimSpace(d.Cmd + " " + strings.Join(args, " ")))
	switch d.Cmd {
	case "supervise":
		spec := w.spec(args, d.Input)
		if err := spec.Validate(); err != nil {
			w.t.Fatalf("%s: %v", d.Pos, err)
		}
		w.plan = newPlan(spec, rand.New(rand.NewPCG(1, 1)))
		w.perform(w.plan.boot(w.now))
	case "end":
		c := w.plan.family.byPID[w.pid(args[0])]
		if c == nil {
			d.Fatalf(w.t, "%s is no child", args[0])
		}
		w.perform(w.plan.ended(w.now, c, reasons[args[1]]))
	case "refuse":
		w.does[args[0]] = errors.New("refused")
	case "ignore":
		w.does[args[0]] = actor.ErrIgnore
	case "accept":
		delete(w.does, args[0])
	case "wait":
		w.wait(args[0])
	case "shutdown":
		w.perform(w.plan.shutdown(w.now))
	default:
		w.perform(w.plan.serve(w.now, w.request(d, args), ask))
	}
}

func (w *world) request(d *datadriven.TestData, args []string) request {
	switch d.Cmd {
	case "start":
		return startChild{w.child(args)}
	case "instance":
		return startInstance{[]any{args}}
	case "restart":
		return restartChild{args[0]}
	case "delete":
		return deleteChild{args[0]}
	case "terminate":
		if w.plan.simple() {
			return terminateInstance{pid: w.pid(args[0]), alive: true}
		}
		return terminateChild{args[0]}
	case "update":
		return updateSpec{w.spec(args, d.Input)}
	case "which":
		return whichChildren{}
	case "count":
		return countChildren{}
	}
	d.Fatalf(w.t, "unknown command %q", d.Cmd)
	return nil
}

// wait lets time pass, with a tick at every deadline.
func (w *world) wait(text string) {
	d, err := time.ParseDuration(text)
	if err != nil {
		w.t.Fatal(err)
	}
	until := w.now.Add(d)
	for {
		at, ok := w.plan.deadline()
		if !ok || at.After(until) {
			break
		}
		if at.After(w.now) {
			w.now = at
		}
		fmt.Fprintf(&w.out, "at %v\n", w.now.Sub(time.Unix(0, 0)))
		w.perform(w.plan.tick(w.now))
	}
	w.now = until
}

// perform carries out effects and writes them down.
func (w *world) perform(effects []effect) {
	for _, e := range effects {
		switch e.do {
		case doStart:
			id, err := e.child.spec.ID, w.does[e.child.spec.ID]
			var pid actor.PID
			outcome := fmt.Sprint(err)
			if err == nil {
				w.last++
				pid = actor.MakePID(testNode, w.last)
				outcome = number(pid)
			}
			fmt.Fprintf(&w.out, "start %s%s: %s\n", id, argsText(e.child.args), outcome)
			w.perform(w.plan.started(w.now, pid, err))
		case doStop:
			due := "for ever"
			if !e.child.due.IsZero() {
				due = e.child.due.Sub(w.now).String()
			}
			fmt.Fprintf(&w.out, "stop %s %s, wait %s\n", e.child.spec.ID, number(e.pid), due)
		case doKill:
			fmt.Fprintf(&w.out, "kill %s %s\n", e.child.spec.ID, number(e.pid))
		case doReply:
			fmt.Fprintf(&w.out, "%s -> %s\n", e.from, valueText(e.value))
		case doReport:
			fmt.Fprintf(&w.out, "report: %s: %s: %v\n", e.what, e.child.spec.ID, e.err)
		case doEnd:
			fmt.Fprintf(&w.out, "end the supervisor: %v\n", e.err)
		}
	}
}

func argsText(args []any) string {
	if len(args) == 0 {
		return ""
	}
	return fmt.Sprint(args[0])
}
