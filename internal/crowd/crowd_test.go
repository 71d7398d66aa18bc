package crowd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

// This binary is also the members that the tests start, and a director.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == directing {
		direct()
		return
	}
	crowdtest.Main(m, run)
}

// order is a command: what to do, which is told back, and by which word.
type order struct{ Do, Word string }

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	_, err := crowd.Run(ctx, args, in, out, func(ctx context.Context, setup crowd.Setup, orders <-chan order, tell func(string)) error {
		var extra string
		if err := setup.Decode(&extra); err != nil {
			return err
		}
		tell(fmt.Sprintf("%s has %q and joins %v", setup.Name, extra, setup.Join))
		for o := range orders {
			switch o.Do {
			case "fail":
				return errors.New(o.Word)
			case "return":
				return nil
			case "exit":
				os.Exit(3)
			case "babble":
				fmt.Fprintln(out, "PASS")
				<-ctx.Done() // which, as a process, does not come
			case "stay":
				tell("stays")
				<-ctx.Done()
				tell("is killed")
			case "many":
				for range 20_000 {
					tell(o.Word)
				}
			}
			tell("heard " + o.Word)
		}
		if extra == "fails at the end" {
			return errors.New(extra)
		}
		tell("left")
		return nil
	})
	return err
}

// hear is the next event, which is no error.
func hear(t *testing.T, c *crowd.Crowd[string], limit time.Duration) crowd.Heard[string] {
	t.Helper()
	h, err := next(t, c, limit)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func next(t *testing.T, c *crowd.Crowd[string], limit time.Duration) (crowd.Heard[string], error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return c.Next(ctx)
}

// expect checks that this is what comes next.
func expect(t *testing.T, c *crowd.Crowd[string], want ...crowd.Heard[string]) {
	t.Helper()
	for _, w := range want {
		if h := hear(t, c, limit); h != w {
			t.Fatalf("%+v, want %+v", h, w)
		}
	}
}

func newCrowd(t *testing.T, n int) *crowd.Crowd[string] {
	t.Helper()
	c, err := crowd.New[string](n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.End)
	return c
}

func start(t *testing.T, c *crowd.Crowd[string], i int, extra string) {
	t.Helper()
	if err := c.Start(i, extra); err != nil {
		t.Fatal(err)
	}
}

// started starts a member and takes in that it is there.
func started(t *testing.T, c *crowd.Crowd[string], i int, extra string) {
	t.Helper()
	start(t, c, i, extra)
	hear(t, c, limit)
}

const limit = time.Minute

func TestKilledMemberIsGoneAfterItsEventsAndStartsAgain(t *testing.T) {
	c := newCrowd(t, 2)
	start(t, c, 1, "seven")
	born := crowd.Heard[string]{Index: 1, Event: `n1 has "seven" and joins [` + c.Addr(0) + "]"}
	expect(t, c, born)
	c.Tell(1, order{Word: "this"})
	expect(t, c, crowd.Heard[string]{Index: 1, Event: "heard this"})
	if err := c.Start(1, "eight"); err == nil || c.Len() != 2 {
		t.Fatalf("two lives at a time: %v", err)
	}
	if err := c.Kill(1); err != nil {
		t.Fatal(err)
	}
	c.Tell(1, order{Word: "nobody hears this"})
	start(t, c, 1, "seven")
	expect(t, c, crowd.Heard[string]{Index: 1, Gone: true}, born)
}

func TestMembersComeLaterAndAreToldWhereTheOthersAre(t *testing.T) {
	var c crowd.Crowd[string]
	defer c.End()
	for i, want := range []string{
		`a has "" and joins []`, `b has "" and joins [where a is]`, `c has "" and joins [where a is where b is]`,
	} {
		name := string(rune('a' + i))
		if at := c.Add(name); at != i || c.Name(i) != name || c.Addr(i) != "" {
			t.Fatalf("%s is member %d, called %s, at %q", name, at, c.Name(i), c.Addr(i))
		}
		start(t, &c, i, "")
		expect(t, &c, crowd.Heard[string]{Index: i, Event: want})
		c.Locate(i, "where "+name+" is")
	}
	if err := c.Kill(0); err != nil {
		t.Fatal(err)
	}
	c.Leave(1, limit)
	for range 3 { // b says so first
		hear(t, &c, limit)
	}
	start(t, &c, c.Add("d"), "")
	expect(t, &c, crowd.Heard[string]{Index: 3, Event: `d has "" and joins [where c is]`})
}

func TestMemberThatEndsByItselfIsAnErrorThatSaysWhy(t *testing.T) {
	for _, do := range []struct{ how, want string }{
		{"fail", "n0 has ended by itself: no luck"},
		{"return", "n0 has ended by itself"},
		{"exit", "n0 has ended by itself: exit status 3"},
		{"babble", "n0 has ended by itself: crowd: what it said is no event: invalid character 'P' looking for beginning of value"},
	} {
		t.Run(do.how, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t, 1)
			started(t, c, 0, "")
			c.Tell(0, order{Do: do.how, Word: "no luck"})
			h, err := next(t, c, limit)
			if !errors.Is(err, crowd.ErrGone) || err.Error() != do.want || !h.Gone || h.Index != 0 {
				t.Errorf("%+v, %v", h, err)
			}
			if err := c.Close(limit); err != nil {
				t.Errorf("what has been heard is told again: %v", err)
			}
			started(t, c, 0, "its next life")
		})
	}
}

func TestWhatIsNoCommandIsTheMembersError(t *testing.T) {
	c := newCrowd(t, 1)
	started(t, c, 0, "")
	c.Tell(0, struct{ Undo string }{"everything"})
	expect(t, c, crowd.Heard[string]{Event: "left"})
	if _, err := next(t, c, limit); !errors.Is(err, crowd.ErrGone) || !strings.Contains(err.Error(), `unknown field "Undo"`) {
		t.Errorf("%v", err)
	}
}

func TestMembersLeaveByThemselvesAndAreWaitedFor(t *testing.T) {
	c := newCrowd(t, 3)
	for i := range 3 {
		started(t, c, i, "")
	}
	pid := c.Pid(0)
	c.Leave(0, limit)
	expect(t, c, crowd.Heard[string]{Event: "left"}, crowd.Heard[string]{Gone: true})
	if err := c.Close(limit); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{pid, c.Pid(1), c.Pid(2)} {
		if p, err := os.FindProcess(pid); err == nil && p.Kill() == nil {
			t.Errorf("process %d has not been waited for", pid)
		}
	}
}

func TestMemberThatDoesNotLeaveWithinItsGraceIsKilled(t *testing.T) {
	c := newCrowd(t, 2)
	for i := range 2 {
		started(t, c, i, "")
	}
	c.Tell(0, order{Do: "stay"})
	expect(t, c, crowd.Heard[string]{Event: "stays"})
	const grace = 300 * time.Millisecond
	began := time.Now()
	c.Leave(0, grace)
	h, err := next(t, c, limit)
	if !errors.Is(err, crowd.ErrLate) || !strings.HasPrefix(err.Error(), "n0 has not left within 300ms") || !h.Gone {
		t.Errorf("%+v, %v", h, err)
	}
	if took := time.Since(began); took < grace {
		t.Errorf("it was killed after %v", took)
	}
	c.Tell(1, order{Do: "stay"})
	expect(t, c, crowd.Heard[string]{Index: 1, Event: "stays"})
	if err := c.Close(grace); !errors.Is(err, crowd.ErrLate) || !strings.Contains(err.Error(), "n1") {
		t.Errorf("%v", err)
	}
}

func TestCloseTellsOfAllThatWentWrong(t *testing.T) {
	c := newCrowd(t, 3)
	started(t, c, 0, "fails at the end")
	started(t, c, 1, "")
	started(t, c, 2, "")
	c.Tell(1, order{Do: "fail", Word: "no luck"})
	h, err := next(t, c, limit)
	if h.Index != 1 || !errors.Is(err, crowd.ErrGone) {
		t.Fatalf("%+v, %v", h, err)
	}
	started(t, c, 1, "fails at the end")
	if err := c.Kill(2); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(limit); fmt.Sprint(err) != "n0: fails at the end\nn1: fails at the end" &&
		fmt.Sprint(err) != "n1: fails at the end\nn0: fails at the end" {
		t.Errorf("%v", err)
	}
	if err := c.Close(limit); err != nil {
		t.Errorf("it is told again: %v", err)
	}
}

func TestCloseTellsOfEndsThatNobodyHasHeard(t *testing.T) {
	c := newCrowd(t, 2)
	started(t, c, 0, "")
	c.Tell(0, order{Do: "exit"})
	start(t, c, 1, "")
	if err := c.Close(limit); err == nil || !strings.HasPrefix(err.Error(), "n0") || !strings.HasSuffix(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
}

func TestNoMemberIsHeldUpByWhatNobodyHasHeard(t *testing.T) {
	c := newCrowd(t, 2)
	for i := range 2 {
		started(t, c, i, "")
	}
	c.TellAll(order{Do: "many", Word: "this"}) // more than the crowd keeps, and the pipes
	c.Leave(0, limit)
	start(t, c, 0, "its next life")
	counts := make([]int, 2)
	for gone := false; ; {
		h := hear(t, c, limit)
		gone = gone || h.Gone
		if strings.Contains(h.Event, "next life") {
			break
		}
		if h.Event == "this" && !gone {
			counts[h.Index]++
		}
	}
	if counts[0] != 20_000 {
		t.Errorf("%d of its events were heard before its end", counts[0])
	}
	if err := c.Close(limit); err != nil {
		t.Error(err)
	}
}

func TestMembersInsideThisProcessDoTheSame(t *testing.T) {
	var c crowd.Crowd[string]
	defer c.End()
	c.Inside(run)
	for i, name := range []string{"a", "b", "c"} {
		start(t, &c, c.Add(name), "extra")
		expect(t, &c, crowd.Heard[string]{Index: i, Event: name + ` has "extra" and joins []`})
	}
	if c.Pid(0) != os.Getpid() || c.Stop(0) == nil || c.Continue(0) == nil {
		t.Error("a member inside is no process of its own")
	}
	c.Tell(0, order{Do: "stay"})
	expect(t, &c, crowd.Heard[string]{Event: "stays"})
	if err := c.Kill(0); err != nil {
		t.Fatal(err)
	}
	expect(t, &c, crowd.Heard[string]{Event: "is killed"}, crowd.Heard[string]{Event: "heard "}, crowd.Heard[string]{Event: "left"},
		crowd.Heard[string]{Gone: true})
	c.Tell(1, order{Do: "fail", Word: "no luck"})
	if _, err := next(t, &c, limit); !errors.Is(err, crowd.ErrGone) || err.Error() != "b has ended by itself: no luck" {
		t.Errorf("%v", err)
	}
	c.Leave(2, limit)
	expect(t, &c, crowd.Heard[string]{Index: 2, Event: "left"}, crowd.Heard[string]{Index: 2, Gone: true})
	start(t, &c, 1, "again")
	expect(t, &c, crowd.Heard[string]{Index: 1, Event: `b has "again" and joins []`})
	c.Tell(1, order{Do: "babble"})
	if _, err := next(t, &c, limit); !errors.Is(err, crowd.ErrGone) {
		t.Errorf("%v", err)
	}
}

// directing is the first argument of a director that the tests start.
const directing = "-direct"

// direct starts two members, says so, and does nothing until it is killed.
func direct() {
	var c crowd.Crowd[string]
	for _, name := range []string{"a", "b"} {
		if err := c.Start(c.Add(name), ""); err != nil {
			panic(err)
		}
		if _, err := c.Next(context.Background()); err != nil {
			panic(err)
		}
	}
	fmt.Println("all are there")
	select {}
}

func TestMembersEndWhenTheirDirectorIsKilled(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// What members complain of goes where their director's complaints go: this file
	// is held open by all of them, and it ends when the last one has.
	theirs, ours, err := pipe(t)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, directing)
	cmd.Stderr = theirs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	_, err = bufio.NewReader(out).ReadString('\n')
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if err := ours.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	if complaints, err := io.ReadAll(ours); err != nil || len(complaints) > 0 {
		t.Errorf("members live on, or complain: %v, %q", err, complaints)
	}
}

// pipe returns the ends of a pipe, which are closed after the test.
func pipe(t *testing.T) (write, read *os.File, err error) {
	read, write, err = os.Pipe()
	if err == nil {
		t.Cleanup(func() { read.Close(); write.Close() })
	}
	return write, read, err
}
