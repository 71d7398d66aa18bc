// Package actortest helps to test actors: a system that cleans up after itself,
// a probe process that records what it receives, and expectations on it.
//
//	test goroutine                       system under test
//	     |  probe.Send(pid, msg)             +-----+
//	     |---------> [probe] --------------> | pid |
//	     |              ^                    +-----+
//	     |              +--- replies, Down, Exit, calls
//	     |  Expect[T](probe, time.Second)
//	     v
//	  pass or t.Fatal with what came instead
//
// The smallest test:
//
//	func TestGreeterAnswers(t *testing.T) {
//		sys := actortest.NewSystem(t)
//		probe := actortest.NewProbe(t, sys)
//		pid := probe.SpawnLink(new(Greeter))
//		probe.Send(pid, Hello{ReplyTo: probe.PID()})
//		actortest.Expect[Welcome](probe, time.Second)
//	}
//
// Nothing here sleeps or polls, so everything works inside a [testing/synctest]
// bubble, where timeouts cost no time, as well as outside. A system, its probes
// and their expectations belong to one bubble or to none.
//
// When the actor under test crashes, a probe that is linked to it or monitors
// it records the [actor.Exit] or [actor.Down] like any message; see
// [Probe.ExpectExit] and [Probe.ExpectDown]. When the probe itself has been
// killed, the next operation on it fails the test.
//
// Expectations are strict: they look at the next thing recorded and fail if it
// is not what they want. [Await] is the lenient one. All of them end a failing
// test with FailNow and must therefore be called on the test's goroutine.
//
// Not promised: an order between what different processes send to a probe.
package actortest
