// Package crowd starts this program again as the members of a cluster: operating-system
// processes that are told what to do, tell what happens, and can be killed, stopped and
// started again.
//
//	director                           member, the same program once more
//	Start(i, extra)   ── -member ──▶   Run(ctx, args, in, out, member)
//	Tell(i, command)  ── JSON ─────▶   commands
//	Next              ◀── JSON ─────   tell(event), or the error of the member
//	Kill, Stop, Continue, Leave, Close
//
// The smallest program asks first whether it is a member:
//
//	func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
//		if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
//			return err
//		}
//		var c crowd.Crowd[event]
//		defer c.End()
//		if err := c.Start(c.Add("n1"), nil); err != nil {
//			return err
//		}
//		c.Tell(0, command{Do: "count"})
//		heard, err := c.Next(ctx)
//		if err == nil {
//			_, err = fmt.Fprintln(out, heard.Event.Kind)
//		}
//		return err
//	}
//
//	func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(event)) error {
//		for c := range commands {
//			tell(event{Kind: c.Do + "ed"})
//		}
//		return nil
//	}
//
// # When a member ends
//
// All that it has told is heard before its end, which is a [Heard] with Gone. That is
// an error of Next, unless the member was killed by Kill, or was told to leave and has
// done so in time and with success. The error has what the member's function
// returned, or else the exit status; a panic is on the standard error, which is the
// director's. Afterwards the member can be started again, as its next life.
//
// # When the director ends
//
// Whether it returns or is killed, its members' inputs end, so their commands do, and
// each returns. What they tell meanwhile is lost.
//
// # Addresses
//
// Members of [New] have an address in all their lives. To those of [Crowd.Add] the
// system gives one, which the director hears from them and passes on by
// [Crowd.Locate]. Whoever is started is told where all others listen then.
//
// # Where processes may not be started
//
// [Crowd.Inside] lets the members run in this process, with the same pipes.
//
// Package crowdtest lets a test binary be such a program.
package crowd
