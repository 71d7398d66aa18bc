package actor_test

import (
	"errors"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// road is a Carrier that counts what it is given, and is closed if err says so.
type road struct {
	err             error
	routed, carried []any
}

func (r *road) Route(sig actor.Signal) error {
	r.routed = append(r.routed, sig.Msg)
	return r.err
}

func (r *road) Carry(_, _ actor.PID, msg any) error {
	r.carried = append(r.carried, msg)
	return r.err
}

var abroad = actor.NodeID{Name: "b@h:2", Incarnation: actor.Incarnation{Boot: 1}}

func onRoad(t *testing.T, r *road) (sys *actor.System, far actor.PID) {
	sys = actortest.NewSystemConfig(t, actor.Config{
		Node: actor.NodeID{Name: "a@h:1", Incarnation: actor.Incarnation{Boot: 1}}, Router: r,
	})
	far, err := actor.ParsePID("<" + abroad.String() + "/7.1>")
	if err != nil {
		t.Fatal(err)
	}
	return sys, far
}

func TestOnlyPlainMessagesToProcessesElsewhereAreCarried(t *testing.T) {
	r := new(road)
	sys, far := onRoad(t, r)
	probe := actortest.NewProbe(t, sys)
	near := spawn(t, sys, echo())
	for _, send := range []func() error{
		func() error { return sys.Send(far, "plain") },
		func() error { return probe.Send(far, "plain") },
		func() error { return sys.Send(near, "near") },
		func() error { return sys.Send(far, "option", actor.Key("k")) },
		func() error { return sys.Send(actor.NameAt{Name: "x", Node: abroad.Name}, "name") },
	} {
		if err := send(); err != nil {
			t.Error(err)
		}
	}
	if len(r.carried) != 2 || len(r.routed) != 2 || r.routed[0] != "option" || r.routed[1] != "name" {
		t.Errorf("carried %v, routed %v", r.carried, r.routed)
	}
	if err := sys.Send(actor.PID{}, "nobody"); err != actor.ErrNoProc {
		t.Errorf("to nobody: %v", err)
	}
	if err := sys.Send(far, nil); err != actor.ErrNilMessage {
		t.Errorf("nil: %v", err)
	}
}

func TestMessageThatIsNotCarriedBecomesADeadLetter(t *testing.T) {
	r := &road{err: errors.New("the road is closed")}
	sys, far := onRoad(t, r)
	probe, events := actortest.NewProbe(t, sys), actortest.Observe(t, sys)
	if err := probe.Send(far, 1); err != r.err {
		t.Errorf("Send: %v", err)
	}
	events.ExpectMessage(actor.DeadLetter{To: far, From: probe.PID(), Message: 1, Reason: r.err}, soon)
}

func TestMessageThatHasComeForNobodyBecomesADeadLetter(t *testing.T) {
	sys, far := onRoad(t, new(road))
	events := actortest.Observe(t, sys)
	dead := spawn(t, sys, echo())
	_ = sys.Kill(dead)
	actortest.Expect[actor.ProcessExited](events, soon)
	in := sys.Inflow()
	in.Deliver(far, dead, 1, 0)
	events.ExpectMessage(actor.DeadLetter{To: dead, From: far, Message: 1, Reason: actor.ErrNoProc}, soon)
	in.Deliver(far, far, 2, 0) // it is not even of this node
	events.ExpectMessage(actor.DeadLetter{To: far, From: far, Message: 2, Reason: actor.ErrNoProc}, soon)
	live := spawn(t, sys, echo())
	in.Deliver(far, live, nil, 0)
	events.ExpectMessage(actor.DeadLetter{To: live, From: far, Reason: actor.ErrNilMessage}, soon)
}
