// Package statem is OTP's gen_statem: a process that is in one of some states,
// and does with an event what its state says.
//
//	calls, casts, info ----------+        +--> Handle(turn, event) in the state
//	                             v        |         |  Next, Repeat, Postpone,
//	timers --> timeouts --> [ events ] ---+         |  Insert, Reply, timeouts
//	                          ^   ^                 v
//	       inserted by Insert-+   +---postponed, when the state has changed --> Enter
//
// The smallest machine is a lamp:
//
//	type lamp struct{}
//
//	func (lamp) Init(*statem.Turn[string]) (string, error) { return "off", nil }
//
//	func (lamp) Handle(t *statem.Turn[string], e statem.Event) error {
//		switch {
//		case e.Kind == statem.Call:
//			return t.Reply(t.State())
//		case t.State() == "off":
//			t.Next("on")
//			t.StateTimeout(time.Minute, nil)
//		default: // pushed again, or the minute is over
//			t.Next("off")
//		}
//		return nil
//	}
//
//	pid, err := sys.Spawn(ctx, statem.New[string](lamp{}))
//
// Whatever is sent to the process is an event: of kind [Call] if it waits for a
// reply, [Info] if it is the kernel's, else [Cast]. States are of any comparable
// type. Instead of one function for all events there can be one for each state:
// [Functions].
//
// # When it crashes
//
// A handler that returns an error or panics ends the process with that reason.
// Everyone who waits for a reply gets the reason at once, also those whose call
// was postponed or kept. Under a supervisor the machine is started anew, in its
// first state. An event that a state does not expect is best not handled: let it
// crash, or write down that it is ignored.
//
// # What a handler can ask for
//
// The [Turn] carries it: another state, or the same again ([Turn.Next],
// [Turn.Repeat]); that the event wait for another state ([Turn.Postpone]); events
// that come before all others ([Turn.Insert], [Turn.Internal]); replies; three
// sorts of timeouts; less memory ([Turn.Hibernate]); another behaviour
// ([Turn.Change], [Turn.Push], [Turn.Pop]). What happens in which order is
// written there, and is OTP's.
//
//	StateTimeout   ends with a change of state
//	EventTimeout   ends with any event
//	Timeout        has a name, and ends when it is cancelled
//
// A timeout that ends is not handled any more, even if its time is over and its
// event already on its way.
//
// A machine that is an [Enterer] is told of each state that it enters. Init runs
// on the spawner's goroutine; entering the first state and what Init inserted is
// left to the process, before all mail.
//
// # What differs from gen_statem
//
// The data are the machine's fields. Actions are asked for instead of being
// returned, and are done when the handler has returned nil. To stop is to return
// an error; replies given before reach their callers first, as with
// stop_and_reply. A call that is neither answered, nor kept with [Turn.From], nor
// postponed fails with actor.ErrNoReply instead of waiting for ever. Time is
// relative; time.Until makes it so.
//
// While events follow from each other without waiting, exit signals wait too: a
// machine that inserts an event in every turn cannot be told to end, only
// killed.
//
// # Inside
//
// Which event comes next and which timers run is decided by a pure value that is
// tested against a model of OTP's rules; the process calls the handlers and
// keeps the timers. An event that is only handled costs about 20 ns more than a
// message to a plain actor, and no allocation.
package statem
